import json
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import annotation, instance, row

from omni_iml.annotate import Annotation, Instance, json_schema
from omni_iml.annotate.checking import checked
from omni_iml.annotate.schema import to_json
from omni_iml.types import POSITIONS

SHIPPED = json.loads((files("omni_iml") / "schemas" / "annotation-1.schema.json").read_text("utf-8"))


def complaints(*rows):
    found = []
    good = list(checked(((f"x.jsonl, line {number}", each) for number, each in enumerate(rows, 1)), found.append))
    return good, [str(problem) for problem in found]


def test_the_shipped_schema_is_the_models_own():
    assert json_schema() == SHIPPED


def test_rows_are_valid_under_the_shipped_schema():
    jsonschema.validate(json.loads(to_json(annotation())), SHIPPED)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(to_json(annotation())), "domain": "video"}, SHIPPED)
    wrong = json.loads(to_json(annotation()))
    wrong["instances"][0]["Absolute Position"] = "Middle"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SHIPPED)


def test_the_position_is_one_of_nine_however_it_is_written():
    assert annotation().instances[0].absolute_position == "Top left"
    assert annotation().published()[0]["Absolute Position"] == "Top left of the image"


def test_the_published_form_has_the_papers_four_keys():
    published = annotation(instances=[instance(box=[0, 0, 5, 5])]).published()
    assert published == [instance(**{"Absolute Position": "Top left of the image"})]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (
            {"instances": [instance(), instance(**{"Absolute Position": "Middle"})]},
            "instances[1].Absolute Position: 'Mi",
        ),
        (
            {"instances": [instance(Artifacts={"Edge": 3})]},
            "instances[0].Artifacts.Edge: input should be",
        ),
        (
            {"instances": [instance(Artifacts={"Edge": " "})]},
            "instances[0].Artifacts.Edge: string should",
        ),
        ({"instances": [instance(Artifacts=["Edge"])]}, "instances[0].Artifacts: "),
        (
            {"instances": [{k: v for k, v in instance().items() if k != "Tampered Region"}]},
            "Tampered Region: is missing",
        ),
        ({"instances": []}, "instances: "),
        ({"instances": None}, "instances: "),
        ({"image": ""}, "image: "),
        ({"domain": "video"}, "domain: "),
        ({"more": 1}, "more: extra inputs are not permitted"),
        ({"instances": [instance(box=[5, 0, 5, 9])]}, "instances[0].box: [5, 0, 5, 9] holds no pixel"),
        ({"reviews": [{"instance": 0, "reviewer": "a", "decision": "accepted", "quality": 6}]}, "reviews[0].quality: "),
        ({"schema": "omni-iml/annotation/2"}, "schema: "),
    ],
)
def test_a_wrong_field_is_named_with_its_row_and_the_rest_goes_on(wrong, named):
    good, found = complaints(row(), row(**wrong), row(image="c.jpg"))
    assert [each.image for each in good] == ["a.jpg", "c.jpg"]
    assert len(found) == 1
    assert found[0].startswith("x.jsonl, line 2: ")
    assert named in found[0]


def test_every_wrong_field_of_a_row_is_named():
    _, found = complaints(row(image=3, instances=[instance(Artifacts=3, **{"Absolute Position": "up"})]))
    assert len(found) == 3


WORDS = st.text(min_size=1, max_size=20).filter(lambda text: text.strip())


@settings(max_examples=60, deadline=None)
@given(WORDS, st.sampled_from(POSITIONS), st.text(max_size=20), st.dictionaries(WORDS, WORDS, max_size=3))
def test_json_and_back(region, position, relative, artifacts):
    given_row = Annotation(
        image="a", source="b", domain="face",
        instances=(Instance(tampered_region=region, absolute_position=position, relative_position=relative,
                            artifacts=artifacts),),
    )  # fmt: skip
    assert Annotation.model_validate_json(to_json(given_row)) == given_row
    assert "\n" not in to_json(given_row)
