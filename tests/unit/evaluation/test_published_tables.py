"""The papers' numbers hold together where their own cells say what they must be, but for the slips that are listed."""

import pytest

from omni_iml.evaluation.tables import LAYOUTS, published

TABLES = {table["id"]: table for table in published()["tables"]}


def row(table, method):
    return next(r["values"] for r in TABLES[table]["rows"] if r["method"] == method)


def test_every_table_that_results_are_laid_out_by_is_there():
    assert {name.split()[0] for name in TABLES} >= LAYOUTS
    for table in TABLES.values():
        assert table["source"].endswith(f"Table {table['id'].split()[0].split('T')[1]}")
        assert all(len(r["values"]) == len(table["columns"]) for r in table["rows"])
        assert all(v is None or 0 <= v <= 1 for r in table["rows"] for v in r["values"])


def test_averages_are_those_of_their_cells_but_for_the_listed_slip():
    assert sum(row("C-T2 natural", "Ours")[:5]) / 5 == pytest.approx(0.6156, abs=1e-6)
    assert row("C-T2 natural", "Ours")[5] == 0.612  # the slip
    for method in ("TruFor (Natural)", "Ours (All)", "DTD (Document)"):
        values = row("C-T3", method)
        assert values[8] == pytest.approx(sum(values[4:8]) / 4, abs=1.01e-3)
    ours = row("A-T1", "Ours")
    assert ours[12] == pytest.approx(sum(ours[:10:2]) / 5, abs=6e-4)
    assert ours[10] == pytest.approx(sum(ours[:8:2]) / 4, abs=6e-4)


def test_the_slip_of_two_heads_is_as_told():
    """Under their heads, face and scene text would be the wrong way round against C-T2 to C-T4; the columns say so."""
    for table in ("C-T21", "C-T22"):
        heads = {c["name"]: c["data"] for c in TABLES[table]["columns"]}
        assert (heads["Face"], heads["Scene Text"]) == ("scene_text", "face")
        assert TABLES[table]["rows"][1]["values"][2:4] == [0.610, 0.923]


def test_the_slip_on_sacp_is_as_told():
    assert (row("C-T2 document", "RRU-Net")[0], row("C-T2 document", "MVSS-Net")[0]) == (0.401, 0.517)
    assert (row("A-T2", "RRU-Net [4]")[0], row("A-T2", "MVSS-Net [6]")[0]) == (0.517, 0.401)
