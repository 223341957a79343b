import numpy as np
import torch

from omni_iml.data.dataset import Batch
from omni_iml.training.watching import prediction_sheet


def test_a_sheet_shows_picture_truth_and_prediction():
    mask = torch.zeros(2, 4, 4, dtype=torch.uint8)
    mask[0, :2] = 1
    mask[1, :, 3] = 255
    logits = torch.full((2, 1, 4, 4), -20.0)
    logits[1, 0, 0] = 20
    image = torch.arange(2 * 3 * 16, dtype=torch.uint8).reshape(2, 3, 4, 4)
    blank = torch.zeros(2)
    sheet = prediction_sheet(Batch(image, mask, mask, mask, blank, blank, blank), logits)
    assert sheet.shape == (8, 12, 3)
    assert sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet[:4, :4], image[0].permute(1, 2, 0))
    np.testing.assert_array_equal(sheet[4:, :4], image[1].permute(1, 2, 0))
    np.testing.assert_array_equal(sheet[:4, 4:8, 0], [[255] * 4] * 2 + [[0] * 4] * 2)
    np.testing.assert_array_equal(sheet[4:, 4:8, 1], [[0, 0, 0, 128]] * 4)
    np.testing.assert_array_equal(sheet[:4, 8:], 0)
    np.testing.assert_array_equal(sheet[4:, 8:, 2], [[255] * 4] + [[0] * 4] * 3)
