import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import instance

from omni_iml.annotate import Instance
from omni_iml.annotate.annotator import Question, Subject
from omni_iml.annotate.answers import Finding, Findings, Form, Single, answer_schema, parse, titled
from omni_iml.annotate.examination import examined, hedges
from omni_iml.annotate.forecast import forecast
from omni_iml.annotate.highlighting import YELLOW, highlight
from omni_iml.annotate.jobs import WrongList, jobs_of_folders, jobs_of_list
from omni_iml.annotate.measured import Measured
from omni_iml.annotate.prompts import NAMES, WrongPrompt, load_prompts
from omni_iml.annotate.reading import UNREAD, Line, iou, line_of, read_region
from omni_iml.annotate.running import Settings
from omni_iml.annotate.scene import UnusableMask, scene_of
from omni_iml.annotate.spending import Prices, tokens_of
from omni_iml.mllm import Query
from omni_iml.mllm.pictures import reduced

BOX = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)).map(
    lambda t: (t[0], t[1], t[0] + t[2], t[1] + t[3])
)


def scene(*boxes, size=(90, 90)):
    marked = np.zeros(size, bool)
    for x0, y0, x1, y1 in boxes:
        marked[y0:y1, x0:x1] = True
    return scene_of(np.full((*size, 3), 200, np.uint8), marked, "m.png", 100)


def test_regions_come_in_reading_order_without_specks():
    found = scene((50, 60, 60, 70), (40, 5, 50, 15), (5, 5, 15, 15), (80, 80, 82, 82))
    assert found.boxes == ((5, 5, 15, 15), (40, 5, 50, 15), (50, 60, 60, 70))
    assert [found.position([n]) for n in range(3)] == ["Top left", "Top center", "Bottom center"]
    assert found.box([0, 2]) == (5, 5, 60, 70)
    assert found.mask([1]).sum() == 100
    assert scene((3, 3, 4, 4)).boxes == ((3, 3, 4, 4),)  # the only one, however small


def test_a_mask_without_a_region_or_with_too_many():
    with pytest.raises(UnusableMask, match="marks no pixel"):
        scene()
    dots = np.zeros((90, 90), bool)
    dots[::2, ::2] = True
    with pytest.raises(UnusableMask, match="2025 separate regions"):
        scene_of(np.zeros((90, 90, 3), np.uint8), dots, "m.png", 500)


def test_the_highlight_shows_the_region_in_a_yellow_box_and_darkens_the_rest():
    drawn = highlight(scene((20, 20, 40, 40), (60, 60, 80, 80)), [[0]])
    assert (drawn[20:40, 20:40] == 200).all()
    assert (drawn[70, 70] < 100).all()  # another region is of the rest
    assert (drawn[5, 5] < 100).all()
    assert (drawn == YELLOW).all(axis=2).any()
    numbered = highlight(scene((20, 20, 40, 40), (60, 60, 80, 80)), [[0], [1]], numbered=True)
    assert (numbered == YELLOW).all(axis=2).sum() > 2 * (drawn == YELLOW).all(axis=2).sum()
    assert (numbered[60:80, 60:80] == 200).all()


def test_large_pictures_are_reduced():
    assert reduced(np.zeros((100, 400, 3), np.uint8), 200).shape == (50, 200, 3)
    assert reduced(np.zeros((100, 150, 3), np.uint8), 200).shape == (100, 150, 3)


@given(BOX, BOX)
def test_iou_by_counting(first, second):
    drawn = np.zeros((2, 20, 20), bool)
    for page, (x0, y0, x1, y1) in zip(drawn, (first, second), strict=True):
        page[y0:y1, x0:x1] = True
    assert iou(first, second) == pytest.approx((drawn[0] & drawn[1]).sum() / (drawn[0] | drawn[1]).sum())


def test_the_line_of_greatest_overlap_holds_the_text():
    lines = [Line("first", (0, 0, 100, 10)), Line("second", (0, 10, 100, 20))]
    assert line_of(lines, (10, 7, 20, 19)) == "second"
    assert line_of(lines, (10, 40, 20, 50)) == ""
    assert line_of([], (0, 0, 1, 1)) == ""


def test_a_region_is_cut_off_and_read():
    class Reader:
        def lines(self, pixels):
            return []

        def text(self, pixels):
            return f"{pixels.shape[1]}x{pixels.shape[0]}" if pixels.mean() > 0 else ""

    pixels = np.full((50, 50, 3), 9, np.uint8)
    assert read_region(Reader(), pixels, (0, 10, 20, 30)) == "22x24"
    assert read_region(Reader(), pixels * 0, (0, 10, 20, 30)) == UNREAD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The edge may be soft.", True),
        ("This could show it.", True),
        ("Might be pasted.", True),
        ("Paid in May 2026.", False),
        ('The text "it may rain" is bold.', False),
        ("The edge is dismayed.", False),
        ("The edges are cut hard.", False),
    ],
)
def test_hedges(text, expected):
    assert hedges(text) is expected


def test_examination_keeps_what_was_there_and_does_not_hedge():
    before = [Finding(title=f"{n}. T", description="may") for n in range(3)] + [Finding(title="U", description="x")]
    after = [
        Finding(title="0 t", description="is so"),
        Finding(title="1. T:", description="could be"),
        Finding(title="New", description="is so"),
    ]
    left = examined(before, after)
    assert [each.title for each in left.kept] == ["0 t"]
    assert left.removed == 3


def test_findings_of_one_title_are_joined():
    pairs = [("A:", "x."), ("A", "y."), ("", "z"), ("B", " ")]
    assert titled([Finding(title=t, description=d) for t, d in pairs]) == {"A": "x. y."}


def test_answers_in_fences_are_read():
    assert parse(Findings, '```json\n{"findings": []}\n```') == Findings(findings=[])
    for text in ("", "none", "{", '{"findings": 3}', '{"findings": [], "more": 1}'):
        with pytest.raises(ValueError):  # noqa: PT011 - of pydantic or json
            parse(Findings, text)


@pytest.mark.parametrize("form", Form.__subclasses__())
def test_every_form_is_strict(form):
    def check(schema):
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert sorted(schema["required"]) == sorted(schema["properties"])

    schema = answer_schema(form)["json_schema"]["schema"]
    for each in (schema, *schema.get("$defs", {}).values()):
        check(each)


def test_prompts_have_hashes_that_change_with_their_text(tmp_path):
    ours = load_prompts()
    assert set(ours) == set(NAMES)
    for name, prompt in ours.items():
        (tmp_path / f"{name}.txt").write_bytes(f"# a comment\r\n{prompt.text}\r\n".encode())
    copied = load_prompts(tmp_path)
    assert {name: prompt.text for name, prompt in copied.items()} == {name: p.text for name, p in ours.items()}
    assert all(copied[name].sha256 != ours[name].sha256 for name in NAMES)
    (tmp_path / "single.txt").write_text("Tell me $everything")
    with pytest.raises(WrongPrompt, match="everything"):
        load_prompts(tmp_path)["single"].fill(domain="x")
    (tmp_path / "single.txt").unlink()
    with pytest.raises(WrongPrompt, match=r"single\.txt"):
        load_prompts(tmp_path)


def test_values_are_not_searched_for_names():
    filled = load_prompts()["locate"].fill(content="$5 bill", position="center")
    assert "$5 bill" in filled


def test_tokens_as_openai_counts_pictures():
    def of(*shapes):
        images = tuple(np.zeros((*shape, 3), np.uint8) for shape in shapes)
        return tokens_of(Query("abc", images), 4096)

    # OpenAI's worked examples: 1024 x 1024 is 765 tokens, 2048 x 4096 is 1105.
    assert of((1024, 1024)) == 1 + 765
    assert of((2048, 4096)) == 1 + 1105
    assert Prices(2.0, 8.0).cost(1_000_000, 500_000) == 6.0


def test_the_forecast_prints_each_prompt_once_and_bounds_the_cost(make_job):
    jobs = [make_job(boxes=((5, 5, 20, 20), (60, 60, 80, 80))), make_job("b.png", domain="document")]
    jobs.append(make_job("c.png", boxes=()))
    found = forecast(jobs, "chain", load_prompts(), Settings(prices=Prices(1.0, 2.0), max_tokens=100))
    assert found.questions == 6 + 2
    assert found.tokens_out == 800
    assert found.cost == pytest.approx((found.tokens_in + 2 * 800) / 1e6)
    assert list(found.prompts)[:3] == ["recognise", "describe_natural", "examine_natural"]
    assert "the center of the" not in found.prompts["recognise"]
    assert len(found.unusable) == 1


def test_measurements_answer_every_step():
    calls = []

    def measure(picture, mask, domain):
        assert domain == "natural"
        calls.append(int(mask.sum()))
        parts = [instance(), instance(Artifacts={"Texture anomaly": "Its grain is 3 times as strong."})]
        return [Instance.model_validate(part) for part in parts]

    masks = tuple(np.arange(16).reshape(4, 4) < n for n in (3, 5))
    pixels = np.zeros((4, 4, 3), np.uint8)

    def ask(step, findings=None):
        subject = Subject("a.png", pixels, masks, ((0, 0, 4, 1),) * 2, "natural", findings)
        return annotator.ask(Question(step, "", (pixels,), Findings, subject)).form

    annotator = Measured(measure)
    assert ask("group").objects == []
    assert ask("recognise").content == "A sleeping orange cat"
    described = ask("describe")
    assert [each.title for each in described.findings] == ["Edge artifacts", "Texture anomaly"]
    assert calls == [3]  # measured once
    assert ask("examine", described) == described
    single = ask("single")
    assert isinstance(single, Single)
    assert len(single.instances) == 2
    assert calls == [3, 5]


def test_lists_and_folders_of_pictures(tmp_path, make_job):
    job = make_job("x.png")
    listed = tmp_path / "list.csv"
    listed.write_text("image,mask,domain,source,split,manual\nin/x.png,masks/x.png,face,MIML,,\n", encoding="utf-8")
    (found,) = jobs_of_list(listed)
    assert (found.picture, found.mask, found.source, found.manual, found.fragments) == (
        job.picture, job.mask, "MIML", True, True,
    )  # fmt: skip
    (paired,) = jobs_of_folders(tmp_path / "in", tmp_path / "masks", "face", "own", split="test", fragments=None)
    assert (paired.picture, paired.mask, paired.split, paired.fragments) == (job.picture, job.mask, "test", False)
    with pytest.raises(WrongList, match="no mask"):
        jobs_of_folders(tmp_path / "in", tmp_path / "in", "face", "own", split=None, fragments=None)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("image,mask\na,b\n", "no column domain"),
        ("image,mask,domain\na,b,video\n", "line 2: domain is 'video'"),
        ("image,mask,domain\na,,face\n", "line 2: mask is empty"),
        ("image,mask,domain\n", "lists no picture"),
        ("image,mask,domain\na,b,face\na,c,face\n", "twice"),
        ("image,mask,domain,manual\na,b,face,maybe\n", "manual is 'maybe'"),
    ],
)
def test_wrong_lists(tmp_path, text, cause):
    (tmp_path / "l.csv").write_text(text, encoding="utf-8")
    with pytest.raises(WrongList, match=cause):
        jobs_of_list(tmp_path / "l.csv")
