"""Say why: what was measured at each region, and what a multimodal model says, in the paper's structured form.

>>> from omni_iml.explain import explain
>>> explanation = explain("photo.jpg")  # doctest: +SKIP
>>> explanation.regions[0].instance.artifacts  # doctest: +SKIP
"""

from omni_iml.explain.explaining import Explained, Explanation, explain, explain_image
from omni_iml.explain.files import save, to_json
from omni_iml.explain.interpreting import Asking, Interpretation, Interpreter
from omni_iml.explain.masks import read_mask

__all__ = [
    "Asking",
    "Explained",
    "Explanation",
    "Interpretation",
    "Interpreter",
    "explain",
    "explain_image",
    "read_mask",
    "save",
    "to_json",
]
