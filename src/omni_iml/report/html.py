"""A `Detection` as a small piece of HTML that needs nothing from outside: for notebooks."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO

from PIL import Image

from omni_iml.report.drawing import overlay, palette_rgb
from omni_iml.report.wording import LIMITS, MODALITIES, VERDICTS, fitness_sentences, printable
from omni_iml.types import Detection, Region

_LONGEST_SIDE = 800
"""Pixels of the embedded overlay: a notebook keeps every output in its file."""


def to_html(detection: Detection) -> str:
    """Verdict, figures, regions, warnings and the overlay as one ``<div>``.

    Args:
        detection: the result.

    Returns:
        HTML with the overlay inside as a data URI and every name escaped; no script, no address outside.
    """
    picture = overlay(detection)
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    name = escape(printable(detection.source))
    model = escape(printable(f"{detection.model.name} {detection.model.version}"))
    facts = (
        f"score {detection.score:.2f} &middot; {detection.width}&times;{detection.height} "
        f"{escape(detection.format)} &middot; judged by {MODALITIES[detection.modality]} &middot; model {model}"
    )
    warnings = "".join(f"<li>{escape(printable(warning))}</li>" for warning in detection.warnings)
    fitness = escape(printable(" ".join(fitness_sentences(detection.fitness))))
    return (
        '<div class="omni-iml-detection">'
        f"<p><strong>{VERDICTS[detection.verdict]}</strong> &mdash; {name}<br>{facts}</p>"
        f'<img alt="Tampering probability over {name}" src="{_data_uri(picture)}">'
        f"<p>{_legend()}</p>{_regions(detection.regions)}{f'<p>{fitness}</p>' if fitness else ''}"
        f"{f'<ul>{warnings}</ul>' if warnings else ''}<p><small>{LIMITS}</small></p></div>"
    )


def _data_uri(picture: Image.Image) -> str:
    stream = BytesIO()
    picture.save(stream, format="PNG")
    return f"data:image/png;base64,{b64encode(stream.getvalue()).decode('ascii')}"


def _legend() -> str:
    stops = ",".join(f"rgb({r},{g},{b})" for r, g, b in palette_rgb()[::51])
    bar = f"display:inline-block;width:8em;height:.8em;background:linear-gradient(to right,{stops})"
    return f'0 <span style="{bar}"></span> 1: probability that the pixel was tampered with'


def _regions(regions: tuple[Region, ...]) -> str:
    if not regions:
        return ""
    rows = "".join(
        f"<tr><td>{escape(region.position)}</td><td>{region.area_share:.1%}</td>"
        f"<td>{region.mean_probability:.2f}</td><td>{', '.join(str(int(edge)) for edge in region.box)}</td></tr>"
        for region in regions
    )
    head = "<tr><th>Region</th><th>Area</th><th>Mean probability</th><th>Box x0, y0, x1, y1</th></tr>"
    return f"<table>{head}{rows}</table>"
