"""What a leg shows while it runs: pictures of its predictions on validation samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from omni_iml.data.dataset import Batch
from omni_iml.io.whole_file import write_whole

FOLDER = "predictions"


def prediction_sheet(batch: Batch, logits: Tensor) -> NDArray[np.uint8]:
    """Each sample in a row: the picture, its true mask (grey: padding), the predicted probability.

    Args:
        batch: samples of side S.
        logits: float ``(B, 1, S, S)``, what the network made of them.

    Returns:
        uint8 ``(B * S, 3 * S, 3)``.
    """
    pictures = batch.image.cpu().numpy().transpose(0, 2, 3, 1)  # (B, S, S, 3)
    truth = batch.mask.cpu().numpy().astype(np.float32)
    truth = np.where(truth == 255, 0.5, truth)
    found = logits.float().sigmoid().cpu().numpy()[:, 0]
    masks = [np.repeat(np.rint(255 * part).astype(np.uint8)[..., None], 3, 3) for part in (truth, found)]
    rows: NDArray[np.uint8] = np.concatenate([pictures, *masks], 2)  # (B, S, 3 S, 3)
    return rows.reshape(-1, *rows.shape[2:])  # (B S, 3 S, 3)


class WritePredictions(Callback):
    """Writes `prediction_sheet` of the first validation batch, as a PNG file and for TensorBoard, at each validation.

    Args:
        out: the run's folder; the files are ``predictions/<step>.png``.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out / FOLDER

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """See the class; ``outputs`` are the masks' logits."""
        if batch_idx or not trainer.is_global_zero:
            return
        sheet = prediction_sheet(batch, outputs)
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{trainer.global_step:07d}.png"
        write_whole(path, lambda file: Image.fromarray(sheet).save(file, "PNG"))
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(FOLDER, sheet, trainer.global_step, dataformats="HWC")
