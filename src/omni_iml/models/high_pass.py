"""Fixed high-pass residuals of the picture: content goes, noise, resampling and blocking traces stay."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SECOND_3X3 = [[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]
_SECOND_5X5 = [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]
_SECOND_1X3 = [[0, 0, 0], [1, -2, 1], [0, 0, 0]]


def srm_kernels() -> Tensor:
    """Three second differences of the SRM family (Fridrich and Kodovsky 2012; the choice of Zhou et al. 2018).

    Returns:
        float32 ``(3, 5, 5)``: 5x5, 3x3 and horizontal, each divided by its centre's magnitude.
    """
    kernels = torch.zeros(3, 5, 5)
    kernels[0] = torch.tensor(_SECOND_5X5) / 12
    kernels[1, 1:4, 1:4] = torch.tensor(_SECOND_3X3) / 4
    kernels[2, 1:4, 1:4] = torch.tensor(_SECOND_1X3) / 2
    return kernels


def convolve_5x5(x: Tensor, kernels: Tensor) -> Tensor:
    """``(B, I, H, W)`` with ``(O, I, 5, 5)`` -> ``(B, O, H, W)``."""
    # Edge padding keeps the border from looking like an edge of the picture.
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), kernels)


class HighPassResiduals(nn.Module):
    """Three fixed high-pass residuals of the gray picture, clipped, and their magnitudes."""

    channels = 6
    limit = 6.0
    kernels: Tensor
    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernels", srm_kernels()[:, None], persistent=False)
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, 6, H, W)`` in [-1, 1]: three residuals, three magnitudes."""
        # In bfloat16 a pixel has no room for differences below one grey level.
        with torch.autocast(pixels.device.type, enabled=False):
            gray = (pixels * self.luma).sum(1, keepdim=True)  # (B, 1, H, W)
            residual = convolve_5x5(gray, self.kernels)  # (B, 3, H, W)
        residual = residual.clamp(-self.limit, self.limit) / self.limit
        return torch.cat([residual, residual.abs()], 1)  # (B, 6, H, W)
