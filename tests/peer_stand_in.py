"""A small network with IMDL-BenCo's contract, for tests without IMDL-BenCo."""

from __future__ import annotations

import torch
from torch import nn


class StandIn(nn.Module):
    """Answers with the picture's own red channel; notes what it gets."""

    def __init__(self, label: torch.Tensor | None = None) -> None:
        super().__init__()
        self.scale, self.label = nn.Parameter(torch.ones(1)), label

    def forward(self, image, mask, label, edge_mask, *args, **kwargs):
        self.seen = {"image": image, "mask": mask, "label": label, "edge_mask": edge_mask}
        found = torch.sigmoid(image[:, :1] * self.scale)
        return {"backward_loss": (found - mask).abs().mean(), "pred_mask": found, "pred_label": self.label}
