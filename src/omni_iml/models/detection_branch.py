"""Training-only detector that supervises anomaly enhancement with boxes (paper C.2; Faster R-CNN, Ren et al. 2015).

Everything here comes from torchvision; the branch is left out of saved weights' inference graph and of export.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

LEVELS = ("a", "b")


class DetectionBranch(nn.Module):
    """Two cascaded FPNs, region proposal network and box head over (F_a, F_b).

    Args:
        channels: channels of F_a (1/8) and F_b (1/16).
        width: channels of the pyramids.
        proposals: proposals kept for the box head, a sample.
    """

    def __init__(self, channels: Sequence[int], width: int, proposals: int = 256) -> None:
        super().__init__()
        self.pyramids = nn.ModuleList(
            [FeaturePyramidNetwork(list(channels), width), FeaturePyramidNetwork([width, width], width)]
        )
        anchors = AnchorGenerator(sizes=((16, 32, 64), (128, 256, 512)), aspect_ratios=((0.5, 1.0, 2.0),) * 2)
        self.proposals = RegionProposalNetwork(
            anchors,
            RPNHead(width, anchors.num_anchors_per_location()[0]),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=256,
            positive_fraction=0.5,
            pre_nms_top_n={"training": 4 * proposals, "testing": 4 * proposals},
            post_nms_top_n={"training": proposals, "testing": proposals},
            nms_thresh=0.7,
        )
        self.boxes = RoIHeads(
            MultiScaleRoIAlign(featmap_names=list(LEVELS), output_size=7, sampling_ratio=2),
            TwoMLPHead(width * 7 * 7, 4 * width),
            FastRCNNPredictor(4 * width, num_classes=2),
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.5,
            batch_size_per_image=128,
            positive_fraction=0.25,
            bbox_reg_weights=None,
            score_thresh=0.05,
            nms_thresh=0.5,
            detections_per_img=100,
        )

    def forward(
        self, features: tuple[Tensor, ...], boxes: Sequence[Tensor], size: tuple[int, int]
    ) -> dict[str, Tensor]:
        """The four losses of Faster R-CNN.

        Args:
            features: F_a ``(B, Ca, H/8, W/8)`` and F_b ``(B, Cb, H/16, W/16)``.
            boxes: for each sample float32 ``(N, 4)`` x0, y0, x1, y1 in input pixels; N may be 0.
            size: height and width of the input in pixels.

        Returns:
            "loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg": scalars.
        """
        maps = OrderedDict(zip(LEVELS, features, strict=True))
        for pyramid in self.pyramids:
            maps = pyramid(maps)
        batch = features[0].shape[0]
        targets = [{"boxes": b, "labels": b.new_ones(len(b)).long()} for b in boxes]
        # Anchors take the maps' type, and bfloat16 knows only every second pixel of a coordinate above 256.
        with torch.autocast(features[0].device.type, enabled=False):
            maps = OrderedDict((name, level.float()) for name, level in maps.items())
            # torchvision's parts read only the batch's shape off the picture itself.
            images = ImageList(maps["a"].new_empty(batch, 1, *size), [size] * batch)
            proposals, proposal_losses = self.proposals(images, maps, targets)
            _, box_losses = self.boxes(maps, proposals, [size] * batch, targets)
        return {**proposal_losses, **box_losses}
