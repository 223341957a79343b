"""Our model under IMDL-BenCo's contract, for its own test loop; `omni_iml.evaluation.peers.benco_test` runs its script.

IMDL-BenCo hands on a normalised tensor of the resized picture and no file, so the coefficients are those of the resized
pixels: what its protocol makes of every frequency model.
"""

# No postponed annotations: IMDL-BenCo makes options of the constructor's parameters, by the types that stand there.
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from omni_iml.inference.detector import Detector

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OmniIml(nn.Module):
    """A detector as a module of IMDL-BenCo's; for testing, not for training.

    Args:
        weights: path of a model file; the bundled one where empty. (IMDL-BenCo keeps the name "model" for itself.)
        runtime: as for `Detector`.
        threads: likewise; 0 = as many as the runtime likes.
    """

    def __init__(self, weights: str = "", runtime: str = "onnx", threads: int = 0) -> None:
        super().__init__()
        self._detector = Detector(weights or None, runtime=runtime, threads=threads or None)  # type: ignore[arg-type]
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)
        # DistributedDataParallel refuses a module that has nothing to train.
        self.unused = nn.Parameter(torch.zeros(1))

    @property
    def module(self) -> "OmniIml":
        """Itself: test.py of IMDL-BenCo 0.1.45 unwraps the model even where nothing has wrapped it."""
        return self

    @torch.no_grad()
    def forward(self, image: Tensor, mask: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """See IMDL-BenCo's models.

        Args:
            image: float ``(B, 3, H, W)``, RGB over 255, normalised by ImageNet's mean and deviation.
            mask: ``(B, 1, H, W)``; unused, as are the others.
            label: ``(B,)``.
            args: whatever else its data sets give.
            kwargs: likewise.

        Returns:
            "pred_mask" float ``(B, 1, H, W)`` and "pred_label" float ``(B,)``, both 0..1, and a "backward_loss" of 0.
        """
        mean, std = (b.to(image) for b in (self.get_buffer("mean"), self.get_buffer("std")))
        pixels = ((image * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)
        found = [self._detector.detect(np.ascontiguousarray(one.permute(1, 2, 0).cpu().numpy())) for one in pixels]
        maps = torch.from_numpy(np.stack([one.probability for one in found]))[:, None]
        scores = torch.tensor([one.score for one in found], dtype=torch.float32)
        nothing = torch.zeros((), device=image.device)
        return {
            "backward_loss": nothing,
            "pred_mask": maps.to(image.device),
            "pred_label": scores.to(image.device),
            "visual_loss": {"none": nothing},
            "visual_image": {"pred_mask": maps},
        }
