import pytest
import torch

from omni_iml.models.high_pass import HighPassResiduals


@pytest.fixture(scope="module")
def residuals():
    return HighPassResiduals()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_a_constant_picture_leaves_nothing(residuals, colour):
    out = residuals(torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 12, 20))
    assert out.shape == (1, 6, 12, 20)
    assert out.abs().max() < 1e-4  # also at the border


def test_a_linear_ramp_leaves_nothing_inside(residuals):
    rows, columns = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    ramp = torch.stack([3 * rows + 2 * columns, 4 * columns, 5 * rows])[None]
    assert residuals(ramp)[..., 2:-2, 2:-2].abs().max() < 1e-4


def test_residuals_stay_in_range_and_magnitudes_are_theirs(residuals):
    torch.manual_seed(0)
    noise = torch.randint(0, 256, (2, 3, 32, 32)).float()
    out = residuals(noise)
    assert out.min() == -1  # noise is clipped on both sides
    assert out.max() == 1
    assert torch.equal(out[:, 3:], out[:, :3].abs())


def test_one_bright_pixel_writes_the_kernels(residuals):
    picture = torch.zeros(1, 3, 9, 9)
    picture[..., 4, 4] = 1
    out = 6 * residuals(picture)[0, :3]
    torch.testing.assert_close(out[:, 4, 4], torch.tensor([-12 / 12, -4 / 4, -2 / 2]))
    torch.testing.assert_close(out[2, 4, 3:6], torch.tensor([0.5, -1, 0.5]))
    assert out[2].count_nonzero() == 3
    assert out[1].count_nonzero() == 9
    assert out[0].count_nonzero() == 25


def test_mixed_precision_leaves_them_exact(residuals):
    """In bfloat16 greys above 128 lie a whole level apart, and the differences sought are smaller."""
    picture = 200 + torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    with torch.autocast("cpu", torch.bfloat16):
        found = residuals(picture)
    assert found.dtype == torch.float32
    assert torch.equal(found, residuals(picture))
