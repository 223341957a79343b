import pytest
from rows import annotation

from omni_iml.annotate import join, pictures_below


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return list(pictures_below(folder))


def test_rows_find_their_pictures_and_the_rest_is_listed(tmp_path):
    files = make(tmp_path, "x/a.jpg", "x/B.JPG", "x/c.png", "x/lonely.png", "x/notes.txt")
    rows = [annotation(image=name) for name in ("a.jpg", "b.jpg", "c.jpg", "none.jpg")]
    joined = join(rows, files)
    assert [(row.image, path.name) for row, path in joined.pairs] == [
        ("a.jpg", "a.jpg"),
        ("b.jpg", "B.JPG"),
        ("c.jpg", "c.png"),
    ]
    assert joined.rows_without_picture == ("none.jpg",)
    assert [path.name for path in joined.pictures_without_row] == ["lonely.png"]


def test_folders_in_the_name_decide_between_equal_names(tmp_path):
    files = make(tmp_path, "train/a.jpg", "test/a.jpg")
    joined = join([annotation(image="test/a.jpg"), annotation(image="a.jpg")], files)
    assert [path.parent.name for _, path in joined.pairs] == ["test"]
    assert joined.rows_without_picture == ("a.jpg",)  # two fit, so none is taken


def test_accents_in_either_encoding(tmp_path):
    files = make(tmp_path, "e\u0301.jpg")
    assert len(join([annotation(image="\u00e9.jpg")], files).pairs) == 1


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(pictures_below(tmp_path / "nowhere"))
