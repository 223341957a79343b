"""The source sets of Omni-273k: which domain, split and way of forging each stands for (appendix E, F.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from omni_iml.annotate.schema import Domain, Split


@dataclass(frozen=True)
class SourceSet:
    """One of the data sets that the annotations were added to.

    Attributes:
        name: as the paper spells it.
        domain: of its pictures.
        split: "train" or "test" where all of it is one; None where the set has both.
        methods: of C-T1: CM copy-move, SP splicing, PT printing, AIGC generated.
        manual: forged by hand.
        fragments: one object may be several connected regions of the mask, so the model groups them (D.1).
    """

    name: str
    domain: Domain
    split: Split | None
    methods: tuple[str, ...]
    manual: bool
    fragments: bool = False


# Appendix E names the training sets and F.1 the test sets; the methods and what is manual are our reading of the sets'
# own papers, since C-T1 gives only the sum.
SOURCE_SETS = (
    SourceSet("CASIAv2", "natural", "train", ("CM", "SP"), True),
    SourceSet("MIML", "natural", "train", ("CM", "SP"), True, fragments=True),
    SourceSet("CASIA1", "natural", "test", ("CM", "SP"), True),
    SourceSet("Coverage", "natural", "test", ("CM",), True),
    SourceSet("NIST16", "natural", "test", ("CM", "SP"), True, fragments=True),
    SourceSet("IMD20", "natural", "test", ("CM", "SP"), True, fragments=True),
    SourceSet("CocoGlide", "natural", "test", ("AIGC",), False),
    SourceSet("DocTamper", "document", None, ("CM", "SP", "AIGC"), False),
    SourceSet("SACP", "document", None, ("CM", "SP", "PT"), True),
    SourceSet("OpenForensics", "face", None, ("AIGC",), False),
    SourceSet("Tampered-IC13", "scene_text", None, ("AIGC",), False),
    SourceSet("OSTF", "scene_text", None, ("AIGC",), False),
)

_OTHER_SPELLINGS = {"casia2": "CASIAv2", "casiav1": "CASIA1", "imd2020": "IMD20", "tic13": "Tampered-IC13"}


@cache
def source_set(name: str) -> SourceSet | None:
    """Find a source set by its name as people write it.

    Args:
        name: for example "MIML", "imd2020", "DocTamper_train".

    Returns:
        The set whose name begins the given one, the longest such; None where none does.
    """
    spellings = {_squeezed(known.name): known for known in SOURCE_SETS}
    spellings |= {other: spellings[_squeezed(full)] for other, full in _OTHER_SPELLINGS.items()}
    fitting = [spelling for spelling in spellings if _squeezed(name).startswith(spelling)]
    return spellings[max(fitting, key=len)] if fitting else None


def split_in_name(name: str) -> Split | None:
    """The split that a file name tells of.

    Args:
        name: for example "doctamper_train".

    Returns:
        "train" or "test" where one of the words stands in the name as a word of its own, else None.
    """
    words = re.split("[^a-z0-9]+", name.lower())
    if "train" in words or "training" in words:
        return "train"
    return "test" if any(word in ("test", "testing", "testingset", "fcd", "scd") for word in words) else None


def _squeezed(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
