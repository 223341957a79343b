from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.data.sources import find
from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.synthesis.folder import Order, summary, write_folder
from omni_iml.data.synthesis.order import prepare
from omni_iml.data.tile_cache import TilePool
from omni_iml.io import load

MakeOrder = Callable[..., Order]


@pytest.fixture
def order(pool: TilePool) -> MakeOrder:
    def make(count: int = 12, seed: int = 5, **config: object) -> Order:
        return Order(pool.folder, "train", SynthesisConfig(**{"size": 64, **config}), seed, count)  # type: ignore[arg-type]

    return make


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_holds_what_the_engine_draws(order: MakeOrder, pool: TilePool, tmp_path: Path) -> None:
    asked = order()
    assert list(write_folder(asked, tmp_path)) == list(range(1, 13))
    draw = Engine(pool, "train", asked.config, asked.seed)
    for number in range(12):
        forgery = draw.forgery(number)
        recipe = json.loads((tmp_path / "recipes" / f"{number:06d}.json").read_text())
        assert (tmp_path / "images" / recipe["image"]).read_bytes() == forgery.data()
        assert load(tmp_path / "images" / recipe["image"]).pixels.shape[:2] == forgery.mask.shape
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "masks" / recipe["mask"])), forgery.mask * 255)
        assert (recipe["label"], recipe["domain"], recipe["operation"]) == (
            forgery.label,
            forgery.domain,
            forgery.operation,
        )
    written = summary(tmp_path, 12)
    assert written.pictures == sum(written.operations.values()) == 12
    assert 0 < written.tampered <= 12


def test_what_was_stopped_is_gone_on_with(order: MakeOrder, tmp_path: Path) -> None:
    list(write_folder(order(), tmp_path / "whole"))
    begun = write_folder(order(), tmp_path / "stopped")
    for _ in range(5):
        next(begun)
    begun.close()
    (tmp_path / "stopped" / "recipes" / "000002.json").unlink()  # killed between a picture and its recipe
    assert list(write_folder(order(), tmp_path / "stopped")) == list(range(5, 13))
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")
    assert summary(tmp_path / "stopped", 12) == summary(tmp_path / "whole", 12)


@pytest.mark.slow
def test_any_number_of_processes_writes_the_same(order: MakeOrder, tmp_path: Path) -> None:
    asked = order(count=40, views=2)
    for workers in (1, 3):
        assert list(write_folder(asked, tmp_path / str(workers), workers))[-1] == 40
    assert files(tmp_path / "1") == files(tmp_path / "3")


@pytest.mark.parametrize(("changed", "name"), [({"seed": 6}, "seed"), ({"authentic": 0.5}, "synthesis")])
def test_a_folder_of_another_order_is_refused(
    changed: dict[str, object], name: str, order: MakeOrder, tmp_path: Path
) -> None:
    list(write_folder(order(count=2), tmp_path))
    before = files(tmp_path)
    with pytest.raises(ValueError, match=f"holds pictures made with other {name}; name another folder"):
        list(write_folder(order(count=2, **changed), tmp_path))
    assert files(tmp_path) == before


def test_more_of_the_same_are_added(order: MakeOrder, tmp_path: Path) -> None:
    list(write_folder(order(count=3), tmp_path))
    assert list(write_folder(order(count=5), tmp_path)) == [4, 5]


def test_a_plain_folder_is_of_the_domain_it_is_said_to_be(source_root: Path, tmp_path: Path) -> None:
    pictures = source_root / "source" / "document" / "letters"
    asked = prepare(pictures, tmp_path / "tiles", domain=["document"], size=64, count=6, overrides=["authentic=0"])
    assert (asked.split, dict(asked.config.domains), asked.config.authentic) == (None, {"document": 1.0}, 0)
    list(write_folder(asked, tmp_path / "out"))
    recipes = [json.loads(path.read_text()) for path in (tmp_path / "out" / "recipes").iterdir()]
    assert {recipe["domain"] for recipe in recipes} == {"document"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domain": ["forest"]}, "domain forest: is unknown; the domains are natural"),
        ({"split": "dev"}, "split 'dev': is unknown; say train, validation, test or all"),
        ({"overrides": ["colour=1"]}, "--set colour=1: is no setting; say KEY=VALUE, KEY one of size"),
        ({"overrides": ["authentic=much"]}, "--set authentic=much: the value is no number"),
        ({"overrides": ["views=[1]"]}, "views: .*; docs/synthesis.md lists the settings"),
    ],
)
def test_settings_that_are_wrong_are_named(
    settings: dict[str, object], message: str, source_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(source_root, tmp_path, **settings)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir()), "no picture was cut before the settings were checked"


def test_a_plain_folder_needs_its_domain(source_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="so its pictures are of one domain; name it with --domain"):
        prepare(source_root / "source" / "document" / "letters", tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        prepare(source_root / "nowhere", tmp_path)


def test_folders_without_a_usable_picture_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty: no .*\.pdf.* file in it; put pictures there"):
        prepare(tmp_path / "empty", tmp_path / "tiles", domain=["natural"])
    (tmp_path / "small").mkdir()
    Image.new("RGB", (300, 40)).save(tmp_path / "small" / "strip.png")
    with pytest.raises(FileNotFoundError, match="no picture there can be read and has 64 pixels or more a side"):
        prepare(tmp_path / "small", tmp_path / "t", domain=["natural"])
    assert "strip.png: is too small to be edited (300x40 pixels); it is skipped" in caplog.text


def test_forgeries_made_here_are_no_sources(pool: TilePool, source_root: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    shutil.copytree(source_root / "source" / "natural" / "scenes", scans)
    (scans / "._p001.jpg").write_bytes(b"what some systems leave beside a picture")
    before = find(scans, "natural")
    first = prepare(scans, tmp_path / "t1", domain=["natural"], size=64, count=4)
    made = list(write_folder(first, scans / "forged"))
    assert find(scans, "natural") == before
    assert all(source.path.name[0] != "." for source in before)
    again = prepare(scans, tmp_path / "t1", domain=["natural"], size=64, count=6)
    assert list(write_folder(again, scans / "forged")) == [5, 6]
    assert made == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="holds pictures that omni-iml synth made; name a folder of authentic ones"):
        prepare(scans / "forged", tmp_path / "t2", domain=["natural"])


def test_what_somebody_else_put_there_is_left_alone(order: MakeOrder, tmp_path: Path) -> None:
    precious = tmp_path / "images" / "000000.jpg"
    precious.parent.mkdir()
    precious.write_bytes(b"precious")
    with pytest.raises(ValueError, match="images: holds files that omni-iml synth did not make; name another folder"):
        list(write_folder(order(), tmp_path))
    with pytest.raises(ValueError, match=r"000000\.jpg: is a file; name a folder"):
        list(write_folder(order(), precious))
    assert files(tmp_path) == {"images/000000.jpg": b"precious"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_workers_end_when_their_parent_is_killed(pool: TilePool, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from omni_iml.data.synthesis import SynthesisConfig\n"
        "from omni_iml.data.synthesis.folder import Order, write_folder\n"
        "if __name__ == '__main__':\n"
        "    order = Order(Path(sys.argv[1]), 'train', SynthesisConfig(size=64), 1, 100_000)\n"
        "    for _ in write_folder(order, Path(sys.argv[2]), 2): pass\n"
    )
    (tmp_path / "run.py").write_text(script)
    out = tmp_path / "out"
    parent = subprocess.Popen([sys.executable, str(tmp_path / "run.py"), str(pool.folder), str(out)])
    while not list(out.glob("recipes/*.json")):
        assert parent.poll() is None
        time.sleep(0.1)
    parent.kill()
    parent.wait()
    time.sleep(2)
    left = len(list(out.glob("recipes/*.json")))
    time.sleep(2)
    assert len(list(out.glob("recipes/*.json"))) == left
