"""A source in, a `Detection` out: load, tile, run, blend, judge, turn upright."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import perf_counter

from omni_iml.inference.blending import Canvas, sigmoid
from omni_iml.inference.session import Precision, Runtime, RuntimeChoice, Session, open_session
from omni_iml.inference.tiles import cut, grid_of
from omni_iml.inference.verdict import gate_of, picture_score, probability_of, verdict_of
from omni_iml.io import load
from omni_iml.io.missing import completed, present
from omni_iml.io.orientation import box_to_displayed, to_displayed
from omni_iml.io.parts import DPI, Frames, load_parts
from omni_iml.regions import find_regions
from omni_iml.types import MAX_PIXELS, Detection, EvidenceImage, ModelInfo, Tile, UnreadableImage


class Detector:
    """Finds edits in pictures with one loaded model. A detector may be used from several threads.

    Args:
        model: path of a model file; ``None`` for the bundled one.
        runtime: "onnx" (ONNX Runtime on the CPU), "openvino", "torch" or "auto"; see `open_session`.
        threads: threads that one tile may use; ``None`` leaves the choice to the runtime.
        mask_threshold: a pixel whose probability is above this belongs to the mask, 0..1.
        max_pixels: pictures with more pixels are refused.
        precision: of torch's arithmetic, "auto", "float32" or "bfloat16"; see `open_session`.

    Raises:
        UnreadableModel: the model file is missing, damaged or not an Omni-IML model file.
        MissingRuntime: the runtime is not installed.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        runtime: RuntimeChoice = "onnx",
        threads: int | None = None,
        mask_threshold: float = 0.5,
        max_pixels: int = MAX_PIXELS,
        precision: Precision = "auto",
    ) -> None:
        if not 0 <= mask_threshold <= 1:
            raise ValueError(f"mask_threshold must lie between 0 and 1, not {mask_threshold}")
        if max_pixels < 1:
            raise ValueError(f"max_pixels must be at least 1, not {max_pixels}")
        self._session: Session = open_session(model, runtime, threads, precision)
        self.mask_threshold = mask_threshold
        self.max_pixels = max_pixels

    @property
    def info(self) -> ModelInfo:
        """The model that is loaded."""
        return self._session.info

    @property
    def runtime(self) -> Runtime:
        """What runs the model; with "auto", what was chosen."""
        return self._session.runtime

    def detect(self, source: object) -> Detection:
        """Look at one picture.

        Args:
            source: whatever `omni_iml.io.load` takes: a path, bytes, a file object, a PIL image or an array; or an
                `EvidenceImage`, which is taken as it is.

        Returns:
            The result, in displayed orientation.

        Raises:
            UnreadableImage: the source is no picture that can be analysed.
            OmniError: the model failed on it.
        """
        begin = perf_counter()
        image = source if isinstance(source, EvidenceImage) else load(source, max_pixels=self.max_pixels)
        return self._within_memory(image, begin)

    def analyse(self, image: EvidenceImage) -> Detection:
        """Look at a picture that is loaded.

        Args:
            image: from `omni_iml.io.load` or `omni_iml.io.parts.load_parts`.

        Returns:
            The result, in displayed orientation.

        Raises:
            UnreadableImage: there is not enough memory for it.
            OmniError: the model failed on it.
        """
        return self._within_memory(image, perf_counter())

    def detect_parts(
        self,
        source: object,
        *,
        frames: Frames = "first",
        pages: str | Collection[int] | None = None,
        dpi: float = DPI,
        password: str | None = None,
    ) -> Iterator[Detection | UnreadableImage]:
        """Look at every picture of a source: of a PDF document, an office document, an archive, a mail, an animation.

        Args:
            source: whatever `detect` takes, or a container.
            frames: of a picture with several frames or pages, "first", "all", or a number from 1.
            pages: pages of PDF documents, for example "1-3,7"; ``None`` for all.
            dpi: dots an inch at which PDF pages are drawn, where their picture cannot be taken out as it is.
            password: opens encrypted PDF documents.

        Returns:
            An iterator of results, ``part`` saying where in the source each picture lies, and of the errors of pictures
            that cannot be read (as values: test with ``isinstance``); see `omni_iml.io.parts.load_parts`. It holds one
            picture at a time.

        Raises:
            ValueError: an option is out of range.
            OmniError: while iterating, the model itself failed.
        """
        parts = load_parts(source, max_pixels=self.max_pixels, frames=frames, pages=pages, dpi=dpi, password=password)
        return self._each(parts)

    def _each(self, parts: Iterator[EvidenceImage | UnreadableImage]) -> Iterator[Detection | UnreadableImage]:
        while True:
            begin = perf_counter()
            part = next(parts, None)
            if part is None:
                return
            result: Detection | UnreadableImage
            try:
                result = part if isinstance(part, UnreadableImage) else self._within_memory(part, begin)
            except UnreadableImage as error:
                result = error
            del part  # not held while the caller looks at the result
            yield result

    def _within_memory(self, image: EvidenceImage, begin: float) -> Detection:
        loaded = perf_counter()
        try:
            return self._analyse(image, begin, loaded)
        except MemoryError as error:
            height, width = image.pixels.shape[:2]
            raise UnreadableImage(
                image.source + image.part,
                f"there is not enough memory to analyse {width}x{height} pixels",
                "close other programs or cut the picture into parts",
            ) from error

    def detect_many(self, sources: Iterable[object]) -> Iterator[Detection | UnreadableImage]:
        """Look at pictures one after the other; one that cannot be read does not stop the others.

        Args:
            sources: whatever `detect` takes, each.

        Yields:
            For each source, in order, its `Detection`, or the `UnreadableImage` error that `detect` would have raised
            (as a value: test with ``isinstance``).

        Raises:
            OmniError: the model itself failed; no later picture would fare better.
        """
        for source in sources:
            result: Detection | UnreadableImage
            try:
                result = self.detect(source)
            except UnreadableImage as error:
                result = error
            yield result

    def _analyse(self, image: EvidenceImage, begin: float, loaded: float) -> Detection:
        """Look at what is there of the picture, as if it ended where its missing rows begin.

        Tiles, score and the regions' shares are of the rows that are there; the map is 0 over the missing ones.
        """
        info = self.info
        stored_height = image.pixels.shape[0]
        there = present(image)
        height, width = there.pixels.shape[:2]
        grid = grid_of(height, width, info)
        canvas = Canvas(height, width, (grid.tall, grid.wide), grid.rows, grid.columns)
        boxes = [grid.box(index) for index in range(len(grid))]
        gates: list[float] = []
        logits: list[float] = []
        network = blend = 0.0
        for index in range(len(grid)):
            top, left = grid.origin(index)
            inputs = cut(there, top, left, grid.tall, grid.wide)
            start = perf_counter()
            outputs = self._session(inputs.image, inputs.coefficients, inputs.table)
            ran = perf_counter()
            canvas.add(top, left, sigmoid(outputs.mask[0, 0]))
            network += ran - start
            blend += perf_counter() - ran
            gates.append(probability_of(float(outputs.gate[0])))
            logits.append(float(outputs.image[0]))
        probability = to_displayed(completed(canvas.finish(), image), image.orientation)
        pixels = to_displayed(image.pixels, image.orientation)
        tiled = perf_counter()
        share = height / stored_height
        regions = find_regions(
            probability,
            self.mask_threshold,
            min_area_share=info.region_min_area * share,
            min_mean_probability=info.region_min_probability,
        )
        regions = tuple(replace(region, area_share=region.area_share / share) for region in regions)
        end = perf_counter()
        score = picture_score(logits, height * width, info)
        gate, modality = gate_of(gates, [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes])
        return Detection(
            source=image.source,
            sha256=image.sha256,
            width=probability.shape[1],
            height=probability.shape[0],
            format=image.format,
            pixels=pixels,
            probability=probability,
            mask_threshold=self.mask_threshold,
            score=score,
            verdict=verdict_of(score, info, image.fitness),
            modality=modality,
            gate_probability=gate,
            regions=regions,
            tiles=tuple(
                Tile(box_to_displayed(box, image.orientation, stored_height, width), probability_, logit)
                for box, probability_, logit in zip(boxes, gates, logits, strict=True)
            ),
            warnings=image.warnings,
            model=info,
            runtime=self.runtime,
            timing_ms={
                "load": 1000 * (loaded - begin),
                "network": 1000 * network,
                "blend": 1000 * blend,
                "cut": 1000 * (tiled - loaded - network - blend),
                "regions": 1000 * (end - tiled),
                "total": 1000 * (end - begin),
            },
            part=image.part,
            facts=image.facts,
            fitness=image.fitness,
        )


@cache
def _default_detector() -> Detector:
    return Detector()


def detect(source: object) -> Detection:
    """Look at one picture with the bundled model, which is loaded once and kept.

    Args:
        source: whatever `Detector.detect` takes.

    Returns:
        The result, in displayed orientation.

    Raises:
        UnreadableImage: the source is no picture that can be analysed.
        UnreadableModel: this installation carries no bundled model.
    """
    return _default_detector().detect(source)


def detect_parts(
    source: object,
    *,
    frames: Frames = "first",
    pages: str | Collection[int] | None = None,
    dpi: float = DPI,
    password: str | None = None,
) -> Iterator[Detection | UnreadableImage]:
    """Look at every picture of a source with the bundled model; see `Detector.detect_parts`.

    Args:
        source: a picture, a PDF or office document, a ZIP archive or a mail, as `detect` takes pictures.
        frames: of a picture with several frames or pages, "first", "all", or a number from 1.
        pages: pages of PDF documents, for example "1-3,7"; ``None`` for all.
        dpi: dots an inch at which PDF pages are drawn, where their picture cannot be taken out as it is.
        password: opens encrypted PDF documents.

    Returns:
        An iterator of results and of the errors of pictures that cannot be read.

    Raises:
        UnreadableModel: this installation carries no bundled model.
        ValueError: an option is out of range.
    """
    return _default_detector().detect_parts(source, frames=frames, pages=pages, dpi=dpi, password=password)
