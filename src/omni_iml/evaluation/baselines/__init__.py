"""Methods without training that a user can run today, each from its paper, as maps of 0 to 1.

They find what their traces allow and no more: figures beside a trained model's say how much it adds. A method's own
quantity has no natural 0.5; it is brought to 0..1 by a fixed rule of its own, told in its module, so that thresholded
figures are honest and AUC is unaffected by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.baselines.block_grid import block_grid
from omni_iml.evaluation.baselines.jpeg_ghosts import jpeg_ghosts
from omni_iml.evaluation.baselines.keypoint_copy_move import keypoint_copy_move
from omni_iml.evaluation.baselines.squash import squashed
from omni_iml.evidence import double_quantization, error_level, noise_level
from omni_iml.types import EvidenceImage

Method = Callable[[EvidenceImage], NDArray[np.float32]]

BASELINES: Mapping[str, Method] = {
    "error-level": squashed(error_level),
    "jpeg-ghosts": jpeg_ghosts,
    "double-quantization": squashed(double_quantization),
    "noise-level": squashed(noise_level),
    "block-grid": block_grid,
    "keypoint-copy-move": keypoint_copy_move,
}
"""The methods by name: float32 ``(H, W)``, 0..1, in displayed orientation."""
