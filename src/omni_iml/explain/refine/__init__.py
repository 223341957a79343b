"""Refine a mask by its explanation (appendix H.2, Table 18): what the words point at, found again in the picture.

Mentions are read from an explanation, candidates found for them (text lines, or an open-vocabulary detector and
segmenter), and a pure rule decides what becomes of each region of the mask.
"""

from omni_iml.explain.refine.areas import Area, areas_of
from omni_iml.explain.refine.rule import Candidate, Change, Refined, Rule, refine

__all__ = ["Area", "Candidate", "Change", "Refined", "Rule", "areas_of", "refine"]
