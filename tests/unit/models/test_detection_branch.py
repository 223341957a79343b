import pytest
import torch

from omni_iml.models.detection_branch import DetectionBranch

NAMES = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
SIZE = (128, 96)
BOXES = torch.tensor([[8.0, 8.0, 40.0, 72.0], [50.0, 80.0, 90.0, 120.0]])
NONE = torch.zeros(0, 4)


@pytest.fixture(scope="module")
def branch():
    torch.manual_seed(0)
    return DetectionBranch((6, 10), 8, proposals=32).train()


def _features(batch: int) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    return tuple(torch.randn(batch, c, SIZE[0] // s, SIZE[1] // s, requires_grad=True) for c, s in ((6, 8), (10, 16)))


@pytest.mark.parametrize("boxes", [[BOXES, BOXES[:1]], [BOXES, NONE], [NONE, NONE]])
def test_the_four_losses_of_faster_rcnn(branch, boxes):
    features = _features(2)
    terms = branch(features, boxes, SIZE)
    assert set(terms) == NAMES
    assert all(value.shape == () and value.isfinite() and value >= 0 for value in terms.values())
    nothing = all(len(b) == 0 for b in boxes)
    assert (terms["loss_box_reg"] == 0) == nothing
    sum(terms.values()).backward()
    assert all(x.grad.any() for x in features)


def test_boxes_are_learnt(branch):
    features = tuple(x.detach() for x in _features(1))
    optimiser = torch.optim.Adam(branch.parameters(), 3e-3)
    totals = []
    for _ in range(12):
        torch.manual_seed(2)  # the same random share of anchors every time
        total = sum(branch(features, [BOXES], SIZE).values())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    assert totals[-1] < 0.7 * totals[0]


def test_coordinates_are_float32_under_autocast(branch):
    seen = []
    handle = branch.boxes.register_forward_pre_hook(lambda _, inputs: seen.extend(inputs[1]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = branch(_features(1), [BOXES], SIZE)
    handle.remove()
    assert [proposals.dtype for proposals in seen] == [torch.float32]
    assert all(value.dtype == torch.float32 and value.isfinite() for value in terms.values())
