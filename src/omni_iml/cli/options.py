"""Options that several commands share, so that they are called and explained alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omni_iml.cli.names import PrecisionName

Sources = Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, documents, folders or globs.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for everything that is written.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a picture on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="On stderr, print errors only.")]

# Which model analyses pictures, and with what.
Model = Annotated[
    str | None, typer.Option("--model", help="Model file, or hf://owner/name@revision; the bundled one if left out.")
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads for the model; by default all cores.")]
TorchThreads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads of torch on the CPU.")]
TorchDevice = Annotated[
    str | None, typer.Option("--device", help="Device of torch: cpu, cuda, ...; by default CUDA where there is one.")
]
TorchPrecision = Annotated[
    PrecisionName, typer.Option("--precision", help="Arithmetic of torch; auto: bfloat16 on GPUs that have it.")
]

# Which pictures of a file are looked at: see `detect.choice_of`.
MaxPixels = Annotated[int, typer.Option("--max-pixels", min=1, help="Refuse pictures with more pixels.")]
Frames = Annotated[
    str, typer.Option("--frames", metavar="first|all|N", help="Frames or pages of a picture that has several.")
]
Pages = Annotated[str | None, typer.Option("--pages", metavar="1-3,7", help="Pages of PDF documents; by default all.")]
Dpi = Annotated[
    float,
    typer.Option("--dpi", min=1, max=10_000, help="Dots an inch at which PDF pages are drawn, where they must be."),
]
Password = Annotated[
    str | None, typer.Option("--password", envvar="OMNI_IML_PASSWORD", help="Opens encrypted PDF documents.")
]

# What makes pictures.
Processes = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; by default one a core.")]
