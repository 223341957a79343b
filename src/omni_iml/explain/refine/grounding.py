"""Mentioned things found by Grounding DINO and outlined by SAM: the paper's way for natural pictures and faces.

The paper used DINO-X, which is a service. Both models here run in this process, from folders or from the hub; weights
are safetensors only, and no code that comes with a model is run. This file needs torch (extra mllm).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import nms
from transformers import (
    AutoConfig,
    AutoModelForZeroShotObjectDetection,
    AutoProcessor,
    SamModel,
    SamProcessor,
)

from omni_iml.explain.refine.areas import Area
from omni_iml.explain.refine.rule import Candidate, Mention
from omni_iml.mllm.opening import folder_and_revision
from omni_iml.text import plain
from omni_iml.types import OmniError

_DETECTORS = frozenset({"grounding-dino", "mm-grounding-dino"})
_SEGMENTERS = frozenset({"sam"})
_SAME = 0.7
"""IoU above which two boxes are one thing found twice."""


class UnreadableFinder(OmniError):  # noqa: N818 - twin of UnreadableMllm
    """A folder that is no detector or no segmenter of a kind that is understood, or one that lacks weights."""


class ObjectFinder:
    """Finds mentions by an open-vocabulary detector, and their outlines by a segmenter.

    Args:
        detector: folder of a Grounding DINO (or MM Grounding DINO), or ``hf://owner/name@revision``.
        segmenter: of a SAM, likewise.
        device: where they go, as torch names it; None for the first GPU, or the processor where there is none.
        threshold: least score of a box, 0..1; 0.25 is what Grounding DINO's authors take.
        most: boxes of a mention at the most, the best.

    Raises:
        UnreadableFinder: one of them cannot be opened.
    """

    def __init__(
        self, detector: str, segmenter: str, *, device: str | None = None, threshold: float = 0.25, most: int = 10
    ) -> None:
        where = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
        self.name = f"{detector} + {segmenter}"
        self._detector, self._reader = _opened(
            detector, AutoModelForZeroShotObjectDetection, AutoProcessor, _DETECTORS, where
        )
        self._segmenter, self._framer = _opened(segmenter, SamModel, SamProcessor, _SEGMENTERS, where)
        self._device, self._threshold, self._most = where, threshold, most

    @torch.inference_mode()
    def find(self, pixels: NDArray[np.uint8], mentions: Sequence[Mention]) -> list[Candidate]:
        """Look for what is mentioned, one thing at a time.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, upright.
            mentions: what an explanation names; one without content is not looked for.

        Returns:
            Outlines, scored by the detector; a box in which the segmenter sees nothing is left out.
        """
        boxes = [(number, *found) for number, mention in enumerate(mentions) for found in self._boxes(pixels, mention)]
        outlines = self._outlines(pixels, [box for _, box, _ in boxes]) if boxes else []
        return [
            Candidate(area, score, number, f"“{mentions[number].content}”")
            for (number, _, score), area in zip(boxes, outlines, strict=True)
            if area is not None
        ]

    def _boxes(self, pixels: NDArray[np.uint8], mention: Mention) -> list[tuple[list[float], float]]:
        """Boxes in pixels with their scores, the best first."""
        # A full stop ends a thing in Grounding DINO's language, so that a sentence would be several.
        phrase = " ".join(mention.content.lower().replace(".", " ").split())
        if not phrase:
            return []
        inputs = self._reader(
            images=pixels,
            text=f"{phrase}.",
            return_tensors="pt",
            truncation=True,
            max_length=self._detector.config.max_text_len,
        ).to(self._device)
        outputs = self._detector(**inputs)
        found = self._reader.post_process_grounded_object_detection(
            outputs, inputs["input_ids"], threshold=self._threshold, target_sizes=[pixels.shape[:2]]
        )[0]
        boxes, scores = found["boxes"].float().cpu(), found["scores"].float().cpu()
        kept = nms(boxes, scores, _SAME)[: self._most]  # the best first
        return list(zip(boxes[kept].tolist(), scores[kept].tolist(), strict=True))

    def _outlines(self, pixels: NDArray[np.uint8], boxes: Sequence[list[float]]) -> list[Area | None]:
        """For each box what SAM takes to be the thing in it: the best of its three readings by its own estimate."""
        framed = self._framer(images=pixels, input_boxes=[boxes], return_tensors="pt").to(self._device)
        seen = self._segmenter.get_image_embeddings(framed["pixel_values"])
        found = []
        for at in range(len(boxes)):  # one by one: masks of a large picture are large
            outputs = self._segmenter(
                image_embeddings=seen, input_boxes=framed["input_boxes"][:, at : at + 1].to(seen.dtype)
            )
            best = int(outputs.iou_scores[0, 0].argmax())
            mask = self._framer.image_processor.post_process_masks(
                outputs.pred_masks[:, :, best : best + 1].float().cpu(),
                framed["original_sizes"].cpu(),
                framed["reshaped_input_sizes"].cpu(),
            )[0][0, 0].numpy()
            found.append(_area(mask))
        return found


def _area(mask: NDArray[np.bool_]) -> Area | None:
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return Area((x0, y0, x1, y1), mask[y0:y1, x0:x1].copy())


def _opened(name: str, model: Any, processor: Any, kinds: frozenset[str], device: str) -> tuple[Any, Any]:
    """Load model and processor of a folder or of the hub."""
    folder, revision = folder_and_revision(name)
    options: dict[str, Any] = {"local_files_only": True} if revision is None else {"revision": revision}
    options["trust_remote_code"] = False
    try:
        kind = AutoConfig.from_pretrained(folder, **options).model_type
        if kind not in kinds:
            raise UnreadableFinder(f"{name}: is a {kind}; give a {' or '.join(sorted(kinds))}.")
        read = processor.from_pretrained(folder, **options)
        loaded, report = model.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **options)
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        reason = plain(str(error))
        raise UnreadableFinder(
            f"{name}: cannot be opened ({reason}); give a folder of {' or '.join(kinds)}."
        ) from error
    if report["missing_keys"]:
        count, first = len(report["missing_keys"]), sorted(report["missing_keys"])[0]
        raise UnreadableFinder(f"{name}: lacks {count} weights ({first}, ...); save the whole model.")
    return loaded.to(device).eval(), read
