"""Where maps come from: a model, a method without training, or a folder of masks and maps that anybody made."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.baselines import BASELINES
from omni_iml.inference.detector import Detector
from omni_iml.inference.session import RUNTIMES
from omni_iml.metrics.matching import Prediction, bare_name, predictions_by_name
from omni_iml.metrics.pictures import read_gray
from omni_iml.metrics.walking import files_below
from omni_iml.types import EvidenceImage, OmniError

METHOD = "baseline:"
"""What stands before the name of a method without training where a model could be named."""


class Refused(Exception):  # noqa: N818 - becomes a problem of one picture
    """A picture that is not scored, and why.

    Attributes:
        kind: "missing", "ambiguous", "size", "nan" or "unreadable".
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Predicted:
    """A map and a score.

    Attributes:
        probability: float32 ``(H, W)``, 0..1, displayed orientation.
        score: of the whole picture, 0..1; nan where there is none.
    """

    probability: NDArray[np.float32]
    score: float = math.nan


class Predictor(Protocol):
    """Gives the map of a picture."""

    looks: bool
    """Whether it looks at the picture that it is shown, so that another view of it gives another map."""

    def __call__(self, data: str, key: str, image: EvidenceImage) -> Predicted:
        """The map of one picture of a data set.

        Raises:
            Refused: there is none that could be scored.
        """


class ModelPredictor:
    """A detector."""

    looks = True

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def __call__(self, data: str, key: str, image: EvidenceImage) -> Predicted:
        """See `Predictor`."""
        found = self._detector.detect(image)
        return Predicted(found.probability, found.score)


class MethodPredictor:
    """A function of the picture, such as those of `omni_iml.evaluation.baselines`."""

    looks = True

    def __init__(self, method: Callable[[EvidenceImage], NDArray[np.float32]]) -> None:
        self._method = method

    def __call__(self, data: str, key: str, image: EvidenceImage) -> Predicted:
        """See `Predictor`."""
        return Predicted(self._method(image))


class FolderPredictor:
    """Masks and maps on disk, found by name; see `omni_iml.metrics.matching`. NumPy files of maps are read too.

    Args:
        root: a folder with the predictions, or with a folder for each data set.
    """

    looks = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sets: dict[str, dict[str, list[Path | Prediction]]] = {}

    def __call__(self, data: str, key: str, image: EvidenceImage) -> Predicted:
        """See `Predictor`."""
        found = self._indexed(data)
        name = bare_name(key)
        # An authentic picture's key has its folder, which people who predict have no reason to keep.
        here = next((found[n] for n in (name, name.rpartition("/")[2]) if n in found), [])
        if not here:
            raise Refused("missing", f"{data}/{key}: no prediction has this name in {self._root}; predict it.")
        if len(here) > 1:
            raise Refused("ambiguous", f"{data}/{key}: {len(here)} predictions have this name; keep one of them.")
        return _read(here[0])

    def _indexed(self, data: str) -> dict[str, list[Path | Prediction]]:
        if data not in self._sets:
            folder = self._root / data if (self._root / data).is_dir() else self._root
            names: dict[str, list[Path | Prediction]] = defaultdict(list)
            for name, found in predictions_by_name(folder).items():
                names[bare_name(name)].extend([found] if isinstance(found, Prediction) else found)
            for path in sorted(file for file in files_below(folder) if file.suffix.lower() in (".npy", ".npz")):
                names[bare_name(path.relative_to(folder).with_suffix("").as_posix())].append(path)
            self._sets[data] = names
        return self._sets[data]


def predictor_of(
    model: str | None, runtime: str = "onnx", threads: int | None = None
) -> tuple[Predictor, dict[str, str]]:
    """A detector, or a method without training, and what results say of it.

    Args:
        model: path of a model file, ``baseline:NAME``, or None for the bundled model.
        runtime: of the detector.
        threads: likewise.

    Raises:
        ValueError: no method or runtime is called that.
        OmniError: the model cannot be used.
    """
    if model is not None and model.startswith(METHOD):
        name = model.removeprefix(METHOD)
        if name not in BASELINES:
            raise ValueError(f"{model}: is unknown; choose one of {', '.join(METHOD + known for known in BASELINES)}.")
        return MethodPredictor(BASELINES[name]), {"method": name}
    if runtime not in RUNTIMES:
        raise ValueError(f"--runtime {runtime}: is none of {', '.join(RUNTIMES)}.")
    detector = Detector(model, runtime=runtime, threads=threads)
    info = detector.info
    return ModelPredictor(detector), {"model": info.name, "version": info.version, "sha256": info.sha256}


def _read(found: Path | Prediction) -> Predicted:
    if isinstance(found, Path):
        return Predicted(_array(found), _score_beside(found))
    path = found.heatmap or found.plain or found.mask
    assert path is not None, "a Prediction holds at least one file"
    levels = read_gray(path)
    full = np.float32(np.iinfo(levels.dtype).max)
    if 0 < levels.max() <= 1:
        raise Refused(
            "dark", f"{path}: its brightest pixel is 1 of {full:.0f}; store tampered pixels as white, not as 1."
        )
    return Predicted(levels.astype(np.float32) / full, _score_beside(path))


def _array(path: Path) -> NDArray[np.float32]:
    try:
        content = np.load(path, allow_pickle=False)
        array = content[content.files[0]] if isinstance(content, np.lib.npyio.NpzFile) else content
        array = np.squeeze(np.asarray(array, np.float32))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Refused("unreadable", f"{path}: the map cannot be read ({error}); write it again.") from error
    if array.ndim != 2:
        raise Refused("size", f"{path}: the array is {array.shape}, no map; store one of (height, width).")
    return array


def _score_beside(path: Path) -> float:
    """The score in the JSON that `omni-iml detect` writes beside a map."""
    stem = path.name
    for end in (".heatmap.png", ".mask.png", ".png", ".npy", ".npz"):
        stem = stem.removesuffix(end)
    report = path.with_name(f"{stem}.json")
    try:
        return float(json.loads(report.read_text(encoding="utf-8"))["score"]) if report.is_file() else math.nan
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OmniError(f"{report}: holds no score ({error}); write it again or take it away.") from error
