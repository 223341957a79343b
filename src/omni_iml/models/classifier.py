"""Image-level classifier on the encoder's last features (paper G.6, Figure 9)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from omni_iml.models.layers import conv_norm_relu


class ImageClassifier(nn.Module):
    """Alternating convolutions and max pooling, global max pooling, two fully connected layers."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first, self.second = conv_norm_relu(channels, width), conv_norm_relu(width, width)
        self.hidden, self.predict = nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """E4 ``(B, C, H/32, W/32)`` -> ``(B,)`` logits; positive = tampered."""
        for convolution in (self.first, self.second):
            x = convolution(x)
            # The zeros keep one-cell maps (tiny crops) from vanishing; after a ReLU they are never the maximum. It is
            # what ceil_mode does, which OpenVINO refuses for maps smaller than the window.
            x = F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 2)
        return self.predict(F.relu(self.hidden(x.amax((2, 3)))))[:, 0]  # (B,)
