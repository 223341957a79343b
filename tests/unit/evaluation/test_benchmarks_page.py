import pytest

from omni_iml.evaluation.benchmarks_page import BEGIN, END, page


def content(value):
    estimate = {"mean": value, "low": value - 0.1, "high": value + 0.1, "n": 3, "skipped": 0}
    score = {
        "data": "devbench/x", "asked": "clean", "view": "original", "n": 5, "n_authentic": 2, "n_nan": 1,
        "pixel": {"IoU": estimate, "F1": estimate, "AUC": {"mean": None, "low": None, "high": None}},
        "image": {"image AUC": estimate}, "image_score": "classifier",
    }  # fmt: skip
    return {"scores": [score, {**score, "asked": "benco"}]}


def test_only_what_is_between_the_markers_changes():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = page(text, [("bundled", content(0.5)), ("jpeg-ghosts", content(0.25))])
    assert written.startswith(f"before\n{BEGIN}\n")
    assert written.endswith(f"{END}\nafter\n")
    assert "old" not in written
    assert (
        "| jpeg-ghosts | 3 / 2 | 0.250 [0.15, 0.35] | 0.250 [0.15, 0.35] | - | 0.250 [0.15, 0.35] (classifier) |"
        in written
    )
    assert written.count("| bundled | 3 / 2 |") == 1
    over_sets = written[written.index("**Pixel IoU**") : written.index("**Pixel AUC**")]
    assert "| method | devbench/x |" in over_sets
    assert "| jpeg-ghosts | 0.250 |" in over_sets
    assert page(written, [("bundled", content(0.5)), ("jpeg-ghosts", content(0.25))]) == written


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="no lines"):
        page("nothing", [])
