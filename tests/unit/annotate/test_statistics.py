import json

from rows import annotation, instance

from omni_iml.annotate import report, statistics
from omni_iml.annotate.statistics import PUBLISHED


def test_counts():
    rows = [
        annotation(split="train", manual=True),
        annotation(image="b", source="OSTF", domain="scene_text", split="test", instances=[instance()] * 3),
        annotation(image="c", source="OSTF", domain="scene_text", instances=[instance()]),
    ]
    found = statistics(rows)
    assert (found.samples, found.training, found.test, found.manual) == (3, 1, 1, 1)
    assert found.domains["scene_text"].images == 2
    assert found.domains["scene_text"].targets == 2.0
    assert found.domains["natural"].length == len(json.dumps(rows[0].published()))
    assert found.methods == ("CM", "SP", "AIGC")
    assert found.several


def test_the_published_figures_are_the_papers():
    assert sum(domain.images for domain in PUBLISHED.domains.values()) == 273_766
    assert PUBLISHED.training + PUBLISHED.test == PUBLISHED.samples == 273_776


def test_the_report_shows_differences_and_the_papers_own_slip():
    text = report(statistics([annotation(split="test", manual=True)]))
    assert "| natural | 1 | 126,366 | -126,365 | 1.000 | 1.269 |" in text
    assert "| manual | 1 | 131,658 | -131,657 |" in text
    assert "| training | 0 | 217,907 | -217,907 |" in text
    assert "sum to 273,766, -10 from the published total" in text
    assert "| natural | CM, SP | single | 1 | 1 | yes |" in text
    assert "no known split" not in text
    assert "1 pictures are of no known split" in report(statistics([annotation()]))


def test_nothing_at_all():
    assert "| none | not known | single | 0 | 0 | yes |" in report(statistics([]))
