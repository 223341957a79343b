"""Noiseprint++: a frozen extractor of the camera's noise pattern, with weights that the user brings (C-T9).

Architecture of TruFor's published extractor (Guillaro et al. 2023): a DnCNN of 17 convolutions (Zhang et al. 2017).
The layers are numbered as in its checkpoints, so that those load name for name. They are not free, and not part of
this project: `Noiseprint.load_published` takes them from a file that the user has.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from omni_iml.types import UnreadableModel

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

    def load_published(self, tensors: Mapping[str, Tensor], source: str) -> None:
        """Fill the extractor.

        Args:
            tensors: of a checkpoint of the extractor alone ("0.weight") or of all of TruFor ("dncnn.0.weight").
            source: where they come from, for the error.

        Raises:
            UnreadableModel: they are not this extractor's; nothing is changed then.
        """
        whole = {name.removeprefix("dncnn."): value for name, value in tensors.items() if name.startswith("dncnn.")}
        given, own = whole or dict(tensors), self.layers.state_dict()
        # Counts of batches are bookkeeping, and some files leave them out.
        needed = [name for name in own if not name.endswith("num_batches_tracked")]
        for name in needed:
            if name not in given or given[name].shape != own[name].shape:
                raise UnreadableModel(
                    f"{source}: is no checkpoint of Noiseprint++ (first difference: {name}); give TruFor's."
                )
        self.layers.load_state_dict({**own, **{name: given[name] for name in needed}})

    def train(self, mode: bool = True) -> Noiseprint:
        """Stays in evaluation mode: its statistics are part of its weights."""
        return super().train(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(B, 3, H, W)`` in 0..255 -> ``(B, 1, H, W)``."""
        return self.layers(pixels / 256)  # the scale that it was trained with
