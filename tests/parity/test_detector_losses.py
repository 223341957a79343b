"""The training-only detector's four losses against torchvision's own Faster R-CNN around the same parts."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

from omni_iml.models.detection_branch import LEVELS, DetectionBranch

CHANNELS, WIDTH, PROPOSALS = (6, 10), 8, 160
SIZE = (128, 160)
BOXES = torch.tensor([[8.0, 8.0, 40.0, 72.0], [50.0, 80.0, 90.0, 120.0], [100.0, 4.0, 156.0, 60.0]])
NONE = torch.zeros(0, 4)
# More than the share of the box head's samples that may be positive: true boxes are among its proposals.
MANY = torch.tensor([[x, y, x + 15.0, y + 15.0] for x in range(0, 160, 20) for y in range(0, 120, 20)])
SEED = 7  # of the random share of anchors and proposals that is trained


class _Pyramids(nn.Module):
    """Gives given features, through our two pyramids, whatever the picture.

    Torchvision's transform has drawn a size by then, from a choice of one: here the random numbers begin anew.
    """

    out_channels = WIDTH

    def __init__(self, branch: DetectionBranch, features: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.pyramids, self.features = branch.pyramids, features

    def forward(self, picture: Tensor) -> OrderedDict[str, Tensor]:
        torch.manual_seed(SEED)
        maps = OrderedDict(zip(LEVELS, self.features, strict=True))
        for pyramid in self.pyramids:
            maps = pyramid(maps)
        return maps


def _torchvisions(branch: DetectionBranch, features: tuple[Tensor, ...]) -> FasterRCNN:
    """Faster R-CNN with our weights, torchvision's defaults, and a transform that changes nothing."""
    return FasterRCNN(
        _Pyramids(branch, features),
        min_size=min(SIZE),
        max_size=max(SIZE),
        image_mean=[0.0] * 3,
        image_std=[1.0] * 3,
        rpn_anchor_generator=branch.proposals.anchor_generator,
        rpn_head=branch.proposals.head,
        rpn_pre_nms_top_n_train=4 * PROPOSALS,
        rpn_post_nms_top_n_train=PROPOSALS,
        box_roi_pool=branch.boxes.box_roi_pool,
        box_head=branch.boxes.box_head,
        box_predictor=branch.boxes.box_predictor,
        box_batch_size_per_image=128,
    ).train()


@pytest.mark.parametrize("boxes", [[BOXES, BOXES[:1]], [BOXES[1:], NONE], [NONE, NONE], [MANY, NONE]])
def test_losses_and_gradients_are_torchvisions(boxes):
    torch.manual_seed(0)
    branch = DetectionBranch(CHANNELS, WIDTH, proposals=PROPOSALS).train()
    features = tuple(
        torch.randn(2, c, SIZE[0] // s, SIZE[1] // s, requires_grad=True)
        for c, s in zip(CHANNELS, (8, 16), strict=True)
    )
    pictures = [torch.rand(3, *SIZE) for _ in range(2)]
    targets = [{"boxes": b, "labels": torch.ones(len(b), dtype=torch.int64)} for b in boxes]
    theirs = _torchvisions(branch, features)(pictures, targets)
    torch.manual_seed(SEED)
    ours = branch(features, boxes, SIZE)
    assert ours.keys() == theirs.keys()
    assert theirs["loss_objectness"] > 0.1
    assert (theirs["loss_box_reg"] > 0) == any(len(b) for b in boxes)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=1e-6, rtol=1e-6)
    parameters = [*features, *branch.parameters()]
    gradients = [torch.autograd.grad(sum(terms.values()), parameters, allow_unused=True) for terms in (ours, theirs)]
    for one, other in zip(*gradients, strict=True):
        assert one is not None
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
