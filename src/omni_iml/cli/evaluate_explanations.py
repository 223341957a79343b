"""``omni-iml evaluate-explanations``: what was said of forgeries, against what is true."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli import interpreters as named
from omni_iml.cli.annotate import Problems
from omni_iml.cli.explain import text_reader
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.mllm import Adapter, Bits, DeviceMap, DType, DTypeName, check_mllm_is_named
from omni_iml.cli.names import DomainName
from omni_iml.types import OmniError

if TYPE_CHECKING:
    from omni_iml.annotate.schema import Annotation
    from omni_iml.evaluation.explanations.reading import Paired
    from omni_iml.evaluation.explanations.robustness import Explain
    from omni_iml.metrics.word_vectors import Cosine

    _Explainer = tuple[Mapping[str, Any], Explain]  # what tells it from others, and what it does


def evaluate_explanations(
    ctx: typer.Context,
    pred: Annotated[
        Path,
        typer.Argument(
            help="What was said: the folder that explain wrote, a .jsonl with image and instances or output, or a file "
            "of annotations. With --robust the folder of pictures."
        ),
    ],
    truth: Annotated[Path, typer.Argument(help="True annotations: .jsonl, .parquet, or a published .pkl or .json.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for scores.json, tables.md and pictures.jsonl; required with --robust.")
    ] = None,
    domain: Annotated[DomainName | None, typer.Option(help="Of a published truth whose name does not say it.")] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|model:FOLDER|counts",
            help="Of the cosine: word vectors (.vec), a sentence encoder, or word counts.",
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="Name of our row in the tables.")] = "ours",
    robust: Annotated[
        bool, typer.Option("--robust", help="Distort, localise and explain the pictures anew, as C-T13 does.")
    ] = False,
    ocr: Annotated[
        bool | None,
        typer.Option("--ocr/--no-ocr", help="With --robust: read the text; if left out, where it can."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="With --robust: model file; the bundled one if left out.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows of the truth at most, the first.")] = None,
    seed: Annotated[int, typer.Option(help="Of noise and of the bootstrap.")] = 0,
    mllm: named.Model = None,
    mllm_model: named.ModelName = None,
    adapter: Adapter = None,
    dtype: DType = DTypeName.AUTO,
    bits: Bits = None,
    device_map: DeviceMap = None,
    query: named.Query = named.DEFAULT.query,
    axis: named.Axis = named.DEFAULT.axis,
    mask_colors: named.MaskColors = named.DEFAULT.mask_colors,
    spell_form: named.SpellForm = False,
    max_side: named.MaxSide = named.DEFAULT.max_side,
    max_tokens: named.MaxTokens = named.DEFAULT.max_tokens,
    timeout: named.Timeout = named.DEFAULT.timeout,
    attempts: named.Attempts = named.DEFAULT.attempts,
    debug: Debug = False,
) -> None:
    """Score explanations field by field and as whole strings, beside the published rows.

    With --robust a run that was stopped goes on in --out. Exit code: 0 if everything could be read, 1 if some rows or
    pictures could not (each is named), 2 for wrong usage, 3 if something else failed.
    """
    with exit_codes(debug):
        check_mllm_is_named(ctx, mllm)
        if mllm is not None and not robust:
            raise WrongUsage(f"--mllm {mllm}: explains distorted pictures, with --robust; leave it out, or add that.")
        if not robust and (ocr is not None or model is not None):
            raise WrongUsage("--ocr and --model: are for pictures that --robust explains anew; leave them out.")
        if mllm is not None and ocr is not None:
            raise WrongUsage("--ocr: is for measurements, and with --mllm a model says everything; leave one out.")
        if robust and out is None:
            raise WrongUsage("--robust: keeps what it asked in a folder; name one with --out.")
        problems = Problems()
        with needs("eval", "evaluate-explanations"):
            from omni_iml.annotate.checking import WrongAnnotations
            from omni_iml.evaluation.explanations import reading, results, scoring

            try:
                rows = reading.read_truth(truth, problems, domain.value if domain else None)[:limit]
                if not rows:
                    raise WrongUsage(f"{truth}: holds no row that can be scored; name a file of annotations.")
                files = {results.UNDISTORTED: pred}
                if robust and out is not None:
                    options = named.Options(
                        mllm_model, adapter, dtype, bits, device_map, query, axis, mask_colors, spell_form, max_side,
                        max_tokens, timeout, attempts,
                    )  # fmt: skip
                    explainer = _measuring(ocr) if mllm is None else _asking(mllm, options)
                    files = _explained_anew(pred, rows, out, explainer, model, seed, problems)
                said = {name: reading.read_predictions(file, problems) for name, file in files.items()}
            except WrongAnnotations as error:
                raise WrongUsage(str(error)) from error
            paired = {name: reading.pair(rows, some) for name, some in said.items()}
            plain = paired[results.UNDISTORTED]
            if all(one is None for _, one in plain.pairs):
                raise WrongUsage(f"{pred}: says nothing of any picture of {truth}; check the names.")
            cosine = _cosine(vectors, list(paired.values()))
            by_view = {name: scoring.score(one, cosine, seed=seed) for name, one in paired.items()}
            shown = results.tables(by_view, label)
            if out is not None:
                results.save(by_view, out, label)
        for table in shown:
            emit(table.markdown())
        if plain.extra:
            print(f"{len(plain.extra)} predictions are of pictures that the truth does not have.", file=sys.stderr)
        if problems.count:
            print(f"{problems.count} rows or pictures could not be read.", file=sys.stderr)
            raise typer.Exit(SOME_UNREADABLE)


ENCODER = "model:"


def _cosine(vectors: str | None, paired: list[Paired]) -> Cosine | None:
    from omni_iml.evaluation.explanations.reading import all_texts
    from omni_iml.metrics.word_vectors import COUNTS, counted_words, file_vectors

    if vectors is None:
        return None
    if vectors == COUNTS:
        return counted_words()
    try:
        if vectors.startswith(ENCODER):
            with needs("mllm", "evaluate-explanations --vectors"):
                from omni_iml.evaluation.explanations.sentence_vectors import sentence_vectors
            return sentence_vectors(vectors.removeprefix(ENCODER))
        return file_vectors(Path(vectors), (text for one in paired for text in all_texts(one)))
    except OmniError as error:
        raise WrongUsage(str(error)) from error


def _measuring(ocr: bool | None) -> _Explainer:
    from omni_iml.evaluation.explanations.robustness import measured_explanation

    reader = text_reader(ocr)
    return {"mllm": None, "ocr": reader is not None}, measured_explanation(reader)


def _asking(mllm: str, options: named.Options) -> _Explainer:
    from omni_iml.evaluation.explanations.robustness import model_explanation

    # How long and how often it is asked, and where it runs, changes no answer that came.
    how = {key: value for key, value in asdict(options).items() if key not in ("timeout", "attempts", "device_map")}
    about = {key: None if value is None else str(value) for key, value in how.items()}
    return {"mllm": mllm, **about}, model_explanation(named.interpreter_of(mllm, options))


def _explained_anew(
    pictures: Path,
    rows: list[Annotation],
    out: Path,
    explainer: _Explainer,
    model: str | None,
    seed: int,
    report: Problems,
) -> dict[str, Path]:
    from omni_iml.annotate.joining import join, pictures_below
    from omni_iml.evaluation.explanations.robustness import OtherRun, run
    from omni_iml.inference.detector import Detector

    try:
        joined = join(rows, pictures_below(pictures))
    except FileNotFoundError as error:
        raise WrongUsage(str(error)) from error
    for name in joined.rows_without_picture:
        report.say(f"{name}: no picture of this name, or more than one, is in {pictures}; add or rename it.")
    about, explain = explainer
    detector = Detector(model)
    try:
        return run(
            joined.pairs, out / "said", detector.analyse, explain, seed=seed,
            about={"localised_by": detector.info.sha256, **about}, report=report,
        )  # fmt: skip
    except OtherRun as error:
        raise WrongUsage(str(error)) from error
