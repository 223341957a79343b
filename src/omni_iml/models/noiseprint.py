"""Noiseprint++: a frozen extractor of the camera's noise pattern, with weights that the user brings (C-T9).

Architecture of TruFor's published extractor (Guillaro et al. 2023): a DnCNN of 17 convolutions (Zhang et al. 2017).
The layers are numbered as in its checkpoints, so that those load name for name. They are not free, and not part of
this project: `load_noiseprint` reads them from a file.
"""

from __future__ import annotations

from torch import Tensor, nn

LEVELS = 17
WIDTH = 64


class Noiseprint(nn.Module):
    """17 3x3 convolutions, batch norm in all but the first and the last. It never trains."""

    channels = 1

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, WIDTH, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(LEVELS - 2):
            layers += [
                nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False),
                nn.BatchNorm2d(WIDTH),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(WIDTH, self.channels, 3, padding=1))
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Noiseprint:
        """Stays in evaluation mode: its statistics are part of its weights."""
        return super().train(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, 1, H, W)``."""
        return self.layers(pixels / 256)  # the scale that it was trained with
