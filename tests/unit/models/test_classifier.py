import pytest
import torch

from omni_iml.models.classifier import ImageClassifier


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16)])
def test_one_logit_a_sample(randomised, size):
    assert randomised(ImageClassifier(6, 4))(torch.randn(3, 6, *size)).shape == (3,)


def test_a_trace_counts_the_same_wherever_it_lies(randomised):
    classifier = randomised(ImageClassifier(2, 4), scale=0.5)
    torch.manual_seed(0)
    patch = 5 * torch.randn(2, 4, 4)
    logits = []
    for y, x in ((4, 4), (8, 16), (20, 12)):  # away from the border, on the grid of the two poolings
        features = torch.zeros(1, 2, 32, 32)
        features[0, :, y : y + 4, x : x + 4] = patch
        logits.append(classifier(features).item())
    assert logits == pytest.approx([logits[0]] * 3, abs=1e-5)
    assert logits[0] != pytest.approx(classifier(torch.zeros(1, 2, 32, 32)).item(), abs=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (5, 2), (7, 16)])
def test_pooling_is_that_of_ceil_mode(randomised, size):
    """Written with zeros instead, which every runtime takes at every size."""
    classifier, features = randomised(ImageClassifier(6, 4)), torch.randn(3, 6, *size)
    x = features
    for convolution in (classifier.first, classifier.second):
        x = torch.nn.functional.max_pool2d(convolution(x), 2, ceil_mode=True)
    wanted = classifier.predict(classifier.hidden(x.amax((2, 3))).relu())[:, 0]
    torch.testing.assert_close(classifier(features), wanted, rtol=0, atol=0)
