"""`keras-prune profile` and `keras-prune compare`."""

import csv
import json
import re

import pytest

from keras_prune.cli.profile import profile as profile_command
from keras_prune.packing import pack
from keras_prune.profiling import available, compare, profile
from tests.classifiers import dark_or_light
from tests.networks import conv, head, image
from tests.networks.barriers import Unknown


def test_every_convention_can_be_chosen():
    (option,) = (each for each in profile_command.params if each.name == "convention")
    assert tuple(option.type.choices) == available()


@pytest.fixture
def models(tmp_path):
    """Two models in the folder the command runs in; the second has a layer nobody can count."""
    import keras

    i = image()
    first = keras.Model(i, head(conv(8, "a")(i)), name="first")
    second = keras.Model(i, head(Unknown(name="odd")(conv(4, "a")(i))), name="second")
    first.save(tmp_path / "first.keras")
    second.save(tmp_path / "second.keras")
    return first, second


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_profile_as_table_json_and_csv(call, models, tmp_path):
    expected = profile(models[0])
    done = call("profile", "first.keras", "--csv", "costs.csv")
    assert (done.code, done.err) == (0, "")
    assert str(expected) in done.out and "convention standard" in done.out
    rows = rows_of(tmp_path / "costs.csv")
    assert [(row["name"], int(row["macs"])) for row in rows] == [
        (layer.name, layer.macs) for layer in expected.layers
    ]
    found = json.loads(call("profile", "first.keras", "--json").out)
    assert found == json.loads(json.dumps(expected.to_dict()))
    assert found["total"]["parameters"] == models[0].count_params()


def test_a_packed_model_costs_what_the_model_does(call, models, tmp_path):
    pack(models[0], tmp_path / "first.kpz")
    packed, plain = (call("profile", f"first.{kind}", "--json").out for kind in ("kpz", "keras"))
    assert json.loads(packed) == json.loads(plain)


def test_a_convention_can_be_chosen(call, models):
    found = json.loads(call("profile", "first.keras", "--convention", "rnp", "--json").out)
    assert (found["convention"], found["total"]["flops"]) == (
        "rnp",
        profile(models[0], "rnp").total.flops,
    )


def test_what_cannot_be_counted_is_said(call, models):
    assert re.search("^Not counted: odd: .+", call("profile", "second.keras").out, re.M)
    assert "Not counted: odd" in call("compare", "first.keras", "second.keras").out


def test_a_comparison_as_table_json_and_csv(call, models, tmp_path):
    expected = compare(*models)
    done = call("compare", "first.keras", "second.keras", "--csv", "costs.csv")
    assert (done.code, done.err) == (0, "")
    assert str(expected) in done.out
    (row,) = [row for row in rows_of(tmp_path / "costs.csv") if row["name"] == "a"]
    assert int(row["parameters_difference"]) == expected.layers["a"]["parameters"].difference
    assert row["output_shape_before"] != row["output_shape_after"]
    found = json.loads(call("compare", "first.keras", "second.keras", "--json").out)
    assert found["layers"]["a"]["macs"]["reduction_percent"] == 50
    assert (found["before"], found["after"]) == ("first", "second")
    assert found["total"]["bytes"]["before"] == expected.total["bytes"].before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profile"], "Missing argument"),
        (["profile", "absent.keras"], "absent.keras does not exist"),
        (["profile", "text.keras"], "not a Keras file"),
        (["profile", "text.kpz"], "text.kpz is no packed model, or is damaged"),
        (["profile", "mine.keras", "--convention", "lennet"], "'lennet' is not one of 'standard',"),
        (["profile", "mine.keras", "--csv", "no/costs.csv"], "Cannot write the table no/costs"),
        (["compare", "mine.keras"], "Missing argument"),
        (["compare", "mine.keras", "text.keras"], "text.keras is not a Keras file"),
        (["compare", "mine.keras", "mine.keras", "--csv", "."], "'.' is a directory"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, tmp_path, arguments, message):
    dark_or_light().save(tmp_path / "mine.keras")
    for name in ("text.keras", "text.kpz"):
        (tmp_path / name).write_text("hello")
    before = sorted(tmp_path.rglob("*"))
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", done.err)
    assert message in done.err
    assert sorted(tmp_path.rglob("*")) == before
