"""The split ConvNeXt against timm's own, with the same weights."""

from __future__ import annotations

import pytest
import timm
import torch

from omni_iml.models.vision_backbone import split_convnext


@pytest.fixture(scope="module")
def whole():
    torch.manual_seed(0)
    return timm.create_model("convnext_atto", num_classes=0, ls_init_value=0.5).eval()


@pytest.fixture(scope="module")
def split(whole):
    head, backbone, _ = split_convnext("convnext_atto", drop_path=0, layer_scale=0.1, high_pass=False)
    for part, first in ((head, 0), (backbone, 2)):
        published = {}
        for name, value in whole.state_dict().items():
            if name.startswith("stages."):
                _, stage, rest = name.split(".", 2)
                if first <= int(stage) < first + 2:
                    published[f"stages.{int(stage) - first}.{rest}"] = value
            elif name.startswith("stem.") and first == 0:
                published[name] = value
        part.load_state_dict(published)  # strict: nothing of ours is missing, nothing of timm's is left over
    return head.eval(), backbone.eval()


@torch.inference_mode()
def test_the_two_halves_give_timms_features(whole, split):
    head, backbone = split
    image = torch.randint(0, 256, (2, 3, 64, 96), generator=torch.Generator().manual_seed(1))
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    normalised = (image / 255 - mean) / std
    low, rgb = head(image.float())
    middle, high = backbone(rgb)
    torch.testing.assert_close(high, whole.forward_features(normalised), atol=1e-4, rtol=1e-4)
    levels = whole.forward_intermediates(normalised, intermediates_only=True)
    for ours, theirs in zip((low, rgb, middle, high), levels, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_they_are_those_of_timms_features_only_model(whole, split):
    """As detectors and decoders get them from timm: a model of its own, with other names."""
    features = timm.create_model("convnext_atto", features_only=True, ls_init_value=0.5).eval()
    assert features.feature_info.reduction() == [4, 8, 16, 32]
    renamed = {
        name.replace("stem.", "stem_").replace("stages.", "stages_"): v for name, v in whole.state_dict().items()
    }
    features.load_state_dict({name: renamed[name] for name in features.state_dict()})
    head, backbone = split
    image = torch.randint(0, 256, (2, 3, 96, 64), generator=torch.Generator().manual_seed(2))
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    low, rgb = head(image.float())
    levels = features((image / 255 - mean) / std)
    for ours, theirs in zip((low, rgb, *backbone(rgb)), levels, strict=True):
        assert theirs.std() > 0.01
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
