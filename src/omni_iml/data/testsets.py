"""The synthetic test set of each domain: the same bytes for anyone who has the sources and the fonts."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path

from omni_iml.data.manifest import Listed, committed, select
from omni_iml.data.plain_arithmetic import plain_arithmetic
from omni_iml.data.sources import Domain, find
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.synthesis.folder import Order, summary, write_folder
from omni_iml.data.synthesis.fonts import font_files
from omni_iml.data.tile_cache import build_cache

COUNT, SIZE, SEED = 200, 512, 20261124
DRAWN_BY = ("numpy", "pillow", "opencv-python-headless", "scikit-image")
"""The libraries whose versions the bytes depend on; those of constraints.txt made the committed digests."""


@dataclass(frozen=True)
class ListedFont:
    """A font that the test sets are set in.

    Attributes:
        file: name of the file.
        sha256: of its bytes, hexadecimal.
        package: the Debian package that brings it.
    """

    file: str
    sha256: str
    package: str


def listed_fonts() -> list[ListedFont]:
    """The fonts of the test sets, as the package's ``fonts.csv`` lists them."""
    text = files(__package__).joinpath("fonts.csv").read_text(encoding="utf-8")
    return [ListedFont(**row) for row in csv.DictReader(text.splitlines())]


def committed_digest(domain: Domain) -> str:
    """The digest (`folder.Written`) that a domain's test set must have."""
    return str(json.loads(files(__package__).joinpath("testsets.json").read_text(encoding="utf-8"))[domain])


def make_testset(source_dir: Path, out: Path, domain: Domain, workers: int) -> str:
    """Write a domain's test set, or go on with it; says on standard error how far it is.

    Args:
        source_dir: the folder that holds ``source/<domain>/<set>/`` with the manifest's files of the test split.
        out: folder for ``images/``, ``masks/`` and ``recipes/``.
        domain: of the set.
        workers: processes; the bytes are the same for any number.

    Returns:
        The digest of what is there.

    Raises:
        FileNotFoundError: a listed source or font is missing.
        ValueError: a listed source has other bytes, or the folder holds something else.
    """
    lines = [line for line in committed() if line.split == "test"]
    with ExitStack() as stack:
        fonts, tiles = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        stack.enter_context(gathered_fonts(fonts))
        stack.enter_context(plain_arithmetic())
        pool = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
        return pool.submit(_make, (source_dir, tiles, domain, lines, COUNT), out, workers).result()


def order_testset(source_dir: Path, tiles: Path, domain: Domain, lines: Sequence[Listed], count: int = COUNT) -> Order:
    """What `write_folder` writes the test set of a domain by.

    Args:
        source_dir: as of `make_testset`.
        tiles: folder of the tile cache of the test split.
        domain: of the set.
        lines: of the manifest, those of the test split.
        count: of pictures.

    Raises:
        FileNotFoundError: a listed source is missing.
        ValueError: a listed source has other bytes.
    """
    build_cache(source_dir, tiles, side=1024, sources=select(find(source_dir), lines))
    config = SynthesisConfig(size=SIZE, domains={domain: 1.0}, authentic=0.25)
    return Order(tiles, "test", config, SEED, count)


def _make(order: tuple[Path, Path, Domain, Sequence[Listed], int], out: Path, workers: int) -> str:
    count = order[-1]
    for done in write_folder(order_testset(*order), out, workers):
        if done % 50 == 0:
            print(f"{done} of {count} pictures", file=sys.stderr)
    return summary(out, count).digest


@contextmanager
def gathered_fonts(folder: Path, fonts: Sequence[ListedFont] | None = None) -> Iterator[None]:
    """Have text set in exactly the listed fonts, which are looked up among those of this computer by their bytes.

    Args:
        folder: an empty folder, to gather them in.
        fonts: what to gather; the package's list if None.

    Raises:
        FileNotFoundError: a font is not there; the message names its package.
    """
    fonts = listed_fonts() if fonts is None else fonts
    names = {font.file for font in fonts}
    there = {_digest(path): path for path in map(Path, font_files()) if path.name in names}
    if missing := [font for font in fonts if font.sha256 not in there]:
        packages = ", ".join(sorted({font.package for font in missing}))
        raise FileNotFoundError(
            f"{missing[0].file}: the font is not there in the version that the test sets are set in "
            f"({len(missing)} such fonts); install Debian's {packages}."
        )
    for font in fonts:
        shutil.copy(there[font.sha256], folder / font.file)
    before = os.environ.get("OMNI_IML_FONTS")
    os.environ["OMNI_IML_FONTS"] = str(folder)
    try:
        yield
    finally:
        del os.environ["OMNI_IML_FONTS"]
        if before is not None:
            os.environ["OMNI_IML_FONTS"] = before


def made_by() -> str:
    """What the bytes depend on beside sources and fonts, in one line: the versions of `DRAWN_BY`, the machine."""
    return ", ".join(f"{name} {version(name)}" for name in DRAWN_BY) + f", {platform.machine()}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
