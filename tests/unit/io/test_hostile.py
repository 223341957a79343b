"""Hostile and large files, each in a process of its own so that a crash or a memory peak can be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from io_pictures import encode, exif, picture, with_size
from PIL import Image

from omni_iml.io import load
from omni_iml.types import EvidenceImage, UnreadableImage

MEGABYTE = 2**20


def several(kind: str, **options: object) -> bytes:
    first, second = (Image.fromarray(picture(24, 24, seed=seed)) for seed in (0, 1))
    return encode(first, kind, save_all=True, append_images=[second], **options)


def heic() -> list[bytes]:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return []
    register_heif_opener()
    return [encode(picture(24, 24), "HEIF"), several("HEIF")]


def mutated(count: int, seed: int) -> dict[str, int]:
    """Load ``count`` damaged files; how many were read and how many refused."""
    rng = np.random.default_rng(seed)
    seeds = [
        encode(picture(40, 56), quality=70, exif=exif(6)),
        encode(picture(40, 56), progressive=True),
        encode(picture(40, 56), restart_marker_blocks=2, subsampling=0),
        encode(Image.fromarray(picture(24, 24)).convert("CMYK")),
        encode(picture(24, 24, channels=1), optimize=True),
        encode(picture(24, 24), "PNG"),
        encode(picture(24, 24), "WEBP"),
        encode(picture(24, 24), "TIFF", compression="tiff_lzw", exif=exif(3)),
        encode(picture(24, 24), "TIFF"),
        encode(picture(24, 24), "GIF"),
        encode(picture(24, 24), "BMP"),
        encode(picture(24, 24), "JPEG2000"),
        encode(picture(24, 24), "JPEG2000", no_jp2=True, tile_size=(16, 16)),
        encode(picture(24, 24), "AVIF", speed=10),
        several("GIF"),
        several("PNG"),
        several("TIFF"),
        several("WEBP"),
        several("AVIF", speed=10),
        several("MPO"),
        *heic(),
    ]
    outcome = {"read": 0, "refused": 0}
    for index in range(count):
        data = bytearray(seeds[index % len(seeds)])
        for _ in range(rng.integers(1, 6)):
            at = int(rng.integers(2, min(len(data), 800) if rng.random() < 0.7 else len(data)))
            match rng.integers(5):
                case 0:
                    data[at] = rng.integers(256)
                case 1:
                    del data[at : at + int(rng.integers(1, 40))]
                case 2:
                    data[at:at] = rng.bytes(int(rng.integers(1, 20)))
                case 3:
                    data[at:at] = data[max(0, at - 60) : at]
                case _:
                    data[at : at + 2] = bytes([0xFF, rng.integers(0xC0, 0x100)])
            if len(data) < 20:
                break
        try:
            image = load(bytes(data), max_pixels=1_000_000, frame=int(rng.integers(2)) * (index % 3 == 0))
        except UnreadableImage:
            outcome["refused"] += 1
            continue
        assert isinstance(image, EvidenceImage)
        height, width = image.pixels.shape[:2]
        assert image.trace.coefficients.shape == (-(-height // 8) * 8, -(-width // 8) * 8)
        assert image.trace.table.shape == (8, 8)
        outcome["read"] += 1
    return outcome


def peak() -> int:
    """Highest memory use of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux a child's ru_maxrss starts from its parent's; this figure does not.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def peak_growth(name: str, frame: int = 0) -> dict[str, float]:
    """Load a file; by how many bytes the peak of this process's memory grew, and what came of it."""
    before = peak()
    try:
        pixels = load(name, frame=frame).pixels.size / 3
    except UnreadableImage:
        pixels = 0
    return {"grown": peak() - before, "pixels": pixels}


def in_a_process(*arguments: str, folder: Path) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, __file__, *arguments],
        capture_output=True,
        check=False,
        timeout=250,
        env={**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)},
    )
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    return json.loads(run.stdout.decode().splitlines()[-1])


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_files_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    outcome = in_a_process("mutate", "400", str(seed), folder=tmp_path)
    assert outcome["read"] > 40
    assert outcome["refused"] > 40
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_many_mutated_files(tmp_path: Path) -> None:
    outcome = in_a_process("mutate", "8000", "7", folder=tmp_path)
    assert outcome["read"] + outcome["refused"] == 8000


resource_only = pytest.mark.skipif(os.name != "posix", reason="the resource module")


def webp_lie() -> bytes:
    """An extended WebP header that claims 16384 x 16384 pixels and holds a small picture."""
    body = encode(picture(16, 16), "WEBP")[12:]
    header = b"VP8X" + (10).to_bytes(4, "little") + bytes(4) + (16383).to_bytes(3, "little") * 2
    return b"RIFF" + (4 + len(header) + len(body)).to_bytes(4, "little") + b"WEBP" + header + body


@resource_only
@pytest.mark.parametrize(
    "data",
    [
        with_size(encode(picture(400, 400), quality=95), 9999, 9999),
        with_size(encode(picture(400, 400), quality=95), 30000, 30000),
        encode(picture(8, 8))[:-2] + os.urandom(30 * MEGABYTE).replace(b"\xff", b"\x00"),
        webp_lie(),
    ],
    ids=["lie below the limit", "lie above the limit", "data bomb", "webp"],
)
def test_a_lie_costs_little(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lie.jpg"
    path.write_bytes(data)
    measured = in_a_process("peak", str(path), folder=tmp_path)
    assert measured["pixels"] == 0
    assert measured["grown"] < 100 * MEGABYTE


@resource_only
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_memory_of_a_picture(kind: str, tmp_path: Path) -> None:
    pixels = 3000 * 2000
    path = tmp_path / "picture"
    path.write_bytes(encode(Image.fromarray(picture(300, 200)).resize((2000, 3000)), kind))
    measured = in_a_process("peak", str(path), folder=tmp_path)
    assert measured["pixels"] == pixels
    assert 5 * pixels < measured["grown"] < 40 * pixels


@resource_only
@pytest.mark.slow
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_memory_of_a_large_picture(mode: str, progressive: bool, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    large = Image.fromarray(picture(300, 200)).resize((8000, 11000)).convert(mode)
    path.write_bytes(encode(large, quality=92, progressive=progressive, subsampling=0))
    measured = in_a_process("peak", str(path), folder=tmp_path)
    assert measured["pixels"] == 8000 * 11000
    assert measured["grown"] < 40 * 8000 * 11000


@resource_only
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "frame", "options"),
    [
        ("JPEG2000", 0, {}),
        ("AVIF", 0, {"speed": 10}),
        ("HEIF", 0, {}),
        ("AVIF", 1, {"speed": 10}),
        ("WEBP", 1, {"lossless": True, "quality": 0, "method": 0}),
        ("GIF", 1, {"disposal": 2}),
        ("PNG", 1, {"disposal": 2, "blend": 1}),
        ("TIFF", 1, {"compression": "tiff_lzw"}),
        ("MPO", 1, {}),
    ],
)
def test_memory_of_every_format(kind: str, frame: int, options: dict[str, object], tmp_path: Path) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="the extra omni-iml[heic] is not installed").register_heif_opener()
    pages = [Image.fromarray(picture(300, 200, seed=seed)).resize((2000, 3000)) for seed in range(3)]
    if kind == "GIF":
        pages = [page.convert("P") for page in pages]
    several = {"save_all": True, "append_images": pages[1:]} if frame else {}
    path = tmp_path / "picture"
    path.write_bytes(encode(pages[0], kind, **several, **options))
    measured = in_a_process("peak", str(path), str(frame), folder=tmp_path)
    assert measured["pixels"] == 2000 * 3000
    assert measured["grown"] < 40 * 2000 * 3000


def main() -> None:
    match sys.argv[1:]:
        case ["mutate", count, seed]:
            result: dict[str, float] = dict(mutated(int(count), int(seed)))
        case ["peak", name]:
            result = peak_growth(name)
        case ["peak", name, frame]:
            result = peak_growth(name, int(frame))
        case _:
            raise SystemExit(2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
