"""The operations and how often each is drawn in each domain."""

from __future__ import annotations

from dataclasses import dataclass, replace

from omni_iml.data.sources import Domain
from omni_iml.data.synthesis.edit import Operation
from omni_iml.data.synthesis.inpainting import Inpainter
from omni_iml.data.synthesis.operations.change_digits import ChangeDigits
from omni_iml.data.synthesis.operations.copy_move import CopyMove
from omni_iml.data.synthesis.operations.copy_text import CopyText
from omni_iml.data.synthesis.operations.erase_sign import EraseSign
from omni_iml.data.synthesis.operations.erase_text import EraseText
from omni_iml.data.synthesis.operations.insert_text import InsertText
from omni_iml.data.synthesis.operations.local_filter import LocalFilter
from omni_iml.data.synthesis.operations.recompress import Recompress
from omni_iml.data.synthesis.operations.regrow import Regrow
from omni_iml.data.synthesis.operations.regrow_face import RegrowFace
from omni_iml.data.synthesis.operations.remove import Remove
from omni_iml.data.synthesis.operations.replace_sign import ReplaceSign
from omni_iml.data.synthesis.operations.replace_text import ReplaceText
from omni_iml.data.synthesis.operations.retype_line import RetypeLine
from omni_iml.data.synthesis.operations.splice import Splice
from omni_iml.data.synthesis.operations.swap_character import SwapCharacter
from omni_iml.data.synthesis.operations.swap_face import SwapFace

__all__ = [
    "CopyMove",
    "Entry",
    "EraseSign",
    "LocalFilter",
    "Recompress",
    "Regrow",
    "RegrowFace",
    "Remove",
    "ReplaceSign",
    "Splice",
    "SwapCharacter",
    "SwapFace",
    "catalogue",
]

Area = tuple[float, float]


@dataclass(frozen=True)
class Entry:
    """An operation as one domain uses it.

    Attributes:
        operation: with its parameters.
        share: how often it is drawn in the domain; the shares of a domain sum to 1.
    """

    operation: Operation
    share: float


def catalogue(area: Area, inpainter: Inpainter | str | None = None) -> dict[Domain, dict[str, Entry]]:
    """All operations by domain and name.

    Args:
        area: smallest and largest share of the picture that is edited, where an operation is free to choose.
        inpainter: a learned inpainter, or its name "package.module:function"; with one, a tenth of the edits of natural
            pictures are its removals.

    Raises:
        ValueError: the inpainter's name is none, or cannot be imported.
    """
    small = area[0], min(area[1], 0.12)
    return {
        "natural": _natural(area, inpainter),
        "document": {
            "replace_text": Entry(ReplaceText(), 0.24),
            "change_digits": Entry(ChangeDigits(), 0.2),
            "copy_text": Entry(CopyText(), 0.2),
            "erase_text": Entry(EraseText(), 0.1),
            "insert_text": Entry(InsertText(), 0.1),
            "retype_line": Entry(RetypeLine(), 0.06),
            "splice": Entry(Splice(area), 0.05),
            "copy_move": Entry(CopyMove(area, lines=True), 0.05),
        },
        "face": {
            "face_swap": Entry(SwapFace(), 0.35),
            "face_part": Entry(SwapFace(("eyes", "nose", "mouth")), 0.15),
            "face_regrow": Entry(RegrowFace(), 0.18),
            "splice": Entry(Splice(area), 0.14),
            "copy_move": Entry(CopyMove(area), 0.05),
            "remove_patches": Entry(Remove(small, ("patches",)), 0.04),
            "local_filter": Entry(LocalFilter(area), 0.05),
            "regrow": Entry(Regrow(area), 0.04),
        },
        "scene_text": {
            "sign_text": Entry(ReplaceSign(), 0.38),
            "sign_character": Entry(SwapCharacter(), 0.16),
            "sign_erase": Entry(EraseSign(), 0.14),
            "splice": Entry(Splice(area), 0.14),
            "copy_move": Entry(CopyMove(area), 0.08),
            "remove_patches": Entry(Remove(small, ("patches",)), 0.05),
            "local_filter": Entry(LocalFilter(area), 0.05),
        },
    }


def _natural(area: Area, inpainter: Inpainter | str | None) -> dict[str, Entry]:
    small, smaller = (area[0], min(area[1], 0.12)), (area[0], min(area[1], 0.05))
    entries = {
        "splice": Entry(Splice(area), 0.27),
        "splice_seamless": Entry(Splice(small, seamless=True), 0.08),
        "copy_move": Entry(CopyMove(area), 0.27),
        # Diffusion smears what is wide; nobody leaves it like that.
        "remove": Entry(Remove(smaller, ("telea", "navier_stokes")), 0.07),
        "remove_patches": Entry(Remove(small, ("patches",)), 0.1),
        "local_filter": Entry(LocalFilter(area), 0.08),
        "recompress": Entry(Recompress(area), 0.05),
        "regrow": Entry(Regrow(area), 0.08),
    }
    if inpainter is None:
        return entries
    learned = Entry(Remove(small, ("learned",), inpainter), 0.1)
    return {name: replace(entry, share=0.9 * entry.share) for name, entry in entries.items()} | {
        "remove_learned": learned
    }
