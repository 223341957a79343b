from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from omni_iml.data.synthesis import fonts
from omni_iml.data.synthesis.charmap import characters

SAMPLE = "aZ0.,äßŁłЖяΩ我あ가عกकि€₿◊"


def faces_or_skip() -> tuple[fonts.Face, ...]:
    found = fonts.all_faces()
    if found[0].name == fonts.BUILT_IN:
        pytest.skip("no font file on this system")
    return found


def test_a_face_draws_what_it_has_glyphs_for() -> None:
    """Against FreeType: a missing character is drawn as the glyph of one that no font has."""
    faces = faces_or_skip()
    for face in faces[:: max(1, len(faces) // 40)]:
        path, _, index = face.name.partition("#")
        opened = ImageFont.truetype(path, 24, index=int(index or 0), layout_engine=ImageFont.Layout.BASIC)
        missing = bytes(opened.getmask("\U0010fffd"))
        for character in SAMPLE:
            glyph = opened.getmask(character)
            seen = glyph.getbbox() is not None and bytes(glyph) != missing
            assert fonts.draws(face.name, character) == seen, (face.name, character)


def test_faces_draw_all_of_a_text_and_fonts_of_signs_are_left_out() -> None:
    faces_or_skip()
    for face in fonts.faces("Aé9"):
        assert fonts.draws(face.name, "9éA")
    for face in fonts.all_faces():
        assert fonts.draws(face.name, fonts.PLAIN)
        assert "Dingbats" not in face.family
    assert fonts.faces("\U0010fffd") == ()


def test_a_folder_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMNI_IML_FONTS", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"OMNI_IML_FONTS=.*is no folder"):
        fonts.all_faces()


def test_damaged_files_are_named_once_and_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "broken.TTF").write_bytes(b"no font")
    (tmp_path / "readme.txt").write_text("no font")
    monkeypatch.setenv("OMNI_IML_FONTS", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert [face.name for face in fonts.all_faces()] == [fonts.BUILT_IN]
    messages = [record.getMessage() for record in caplog.records]
    assert [("broken.TTF" in message, "no font file" in message) for message in messages] == [
        (True, False),
        (False, True),
    ]


def test_without_a_font_file_pillows_own_face_draws(no_fonts: None) -> None:
    (face,) = fonts.all_faces()
    assert fonts.draws(face.name, "Total 3.50")
    assert not fonts.draws(face.name, "我")
    assert fonts.font(face.name, 20.0).getlength("Total") > 20
    assert fonts.like(face.name, "0", 3) == ()


def test_the_folder_named_is_the_one_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    face = next((face for face in faces_or_skip() if "#" not in face.name), None)
    if face is None:
        pytest.skip("collections only")
    shutil.copy(face.name, tmp_path)
    monkeypatch.setenv("OMNI_IML_FONTS", str(tmp_path))
    assert [Path(other.name).parent for other in fonts.all_faces()] == [tmp_path]


def test_like_faces_are_nearer_than_others() -> None:
    faces = faces_or_skip()
    if len(faces) < 12:
        pytest.skip("few fonts")
    name = faces[0].name

    def width(face: fonts.Face) -> float:
        return fonts.font(face.name, 48.0).getlength(fonts.PLAIN)

    nearest = fonts.like(name, "0", 4)
    assert len(nearest) == 4
    assert name not in {face.name for face in nearest}
    off = [abs(width(face) - width(faces[0])) for face in faces]
    assert np.mean([abs(width(face) - width(faces[0])) for face in nearest]) <= np.mean(off)


def test_a_family_gives_the_wanted_style() -> None:
    faces = faces_or_skip()
    bold = [face for face in faces if face.bold and not face.slanted]
    if not bold:
        pytest.skip("no bold face")
    assert fonts.partner(bold[0], faces, bold=True).bold
    for seed in range(20):
        drawn = fonts.draw_face(np.random.default_rng(seed), tuple(bold), bold=True)
        assert drawn.bold


def test_what_is_no_font_is_said(tmp_path: Path) -> None:
    path = tmp_path / "short.ttf"
    for content in (b"", b"ttcf", b"\0\1\0\0" + bytes(40)):
        path.write_bytes(content)
        with pytest.raises(OSError, match=r"short.ttf: is no font"):
            characters(path)
