from pathlib import Path
from types import SimpleNamespace

import pytest

from omni_iml.cli.summary import Summary
from omni_iml.types import Fitness, Region


def result(verdict="no_trace", regions=(), warnings=(), fitness=None):
    return SimpleNamespace(verdict=verdict, score=0.25, regions=regions, warnings=warnings, fitness=fitness)


def run(out: Path | None = None, *, quiet: bool = False) -> None:
    regions = (Region((0, 0, 5, 5), 0.2, 0.9, "Top left"), Region((8, 8, 9, 9), 0.05, 0.8, "Center"))
    with Summary(3, quiet=quiet) as summary:
        summary.fail("Error: c.jpg: bad.")
        summary.add("a.jpg", result("tampered", regions))
        summary.advance()
        summary.add("[b]\x1b.jpg", result(warnings=("cut short",), fitness=Fitness("poor", ("It is tiny.",))))
        summary.advance()
    summary.print(1, out)


def test_table_warnings_and_counts(capsys):
    run(Path("results"))
    out, err = capsys.readouterr()
    lines = [" ".join(line.split()) for line in err.splitlines()]
    assert out == ""
    assert lines[0] == "Error: c.jpg: bad."
    assert "a.jpg tampered 0.25 2 (25.0%), top left" in lines
    assert "[b]\ufffd.jpg no trace found 0.25 none" in lines
    assert "Warning: [b]\ufffd.jpg: cut short" in lines
    assert any(line.startswith("Note: [b]\ufffd.jpg: ") and line.endswith("It is tiny.") for line in lines)
    assert "2 analysed, 1 unreadable." in lines
    assert "Masks, heat maps, overlays and JSON are in results." in lines
    assert sum("wholly generated" in line for line in lines) == 1


def test_quiet_runs_name_errors_only(capsys):
    run(quiet=True)
    assert capsys.readouterr().err == "Error: c.jpg: bad.\n"


@pytest.mark.parametrize(("terminal", "shown"), [("1", True), ("0", False)])
def test_progress_bar_on_a_terminal_only(capsys, monkeypatch, terminal, shown):
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    run()
    assert ("Analysing" in capsys.readouterr().err) is shown
