"""The decision as plain data."""

import json

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.errors import PlanError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.networks import NETWORKS
from tests.surgery.invariant import half_plan, randomise


@pytest.fixture(scope="module")
def graph() -> ChannelGraph:
    return ChannelGraph(randomise(NETWORKS["residual"].build()))


def refused(message: str):
    return pytest.raises(PlanError, match=message)


def test_an_unknown_group_is_named_with_the_nearest(graph):
    with refused("Unknown group 'stam'. Did you mean 'stem'. Known: m1, m2, stem"):
        PruningPlan.for_graph(graph, {"stam": (0,)})
    with refused("Did you mean 'm1'"):
        PruningPlan.from_masks(graph, {"m11": np.ones(6)})


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ((), "empties group 'm1'. Keep at least one channel"),
        ((2, 1), "'m1': expected ascending indices"),
        ((1, 1), "'m1': expected ascending indices, each named once"),
        ((-1, 2), "expected indices from 0 to 5. Received: -1 to 2"),
        ((0, 6), "expected indices from 0 to 5. Received: 0 to 6"),
    ],
)
def test_indices_are_checked(graph, kept, message):
    with refused(message):
        PruningPlan.for_graph(graph, {"m1": kept})


def test_masks(graph):
    plan = PruningPlan.from_masks(graph, {"m1": [1, 0, 0, 1, 1, 0], "m2": np.ones(5, bool)})
    assert plan.kept == {"m1": (0, 3, 4), "m2": (0, 1, 2, 3, 4)}
    assert plan.ratio("m1") == 0.5 and plan.ratio("m2") == 0
    with refused("empties group 'm1'"):
        PruningPlan.from_masks(graph, {"m1": np.zeros(6)})
    with refused(r"'m1': expected a mask of shape \(6,\). Received: \(5,\)"):
        PruningPlan.from_masks(graph, {"m1": np.ones(5)})


def test_a_plan_for_another_model_is_refused(graph):
    plan = half_plan(graph)
    with refused("Unknown group"):
        prune(NETWORKS["chain"].build(), plan)
    i = keras.Input((6, 6, 3))
    x = i
    for name, filters in (("stem", 8), ("m1", 6), ("m2", 5)):
        x = kl.Conv2D(filters, 1, name=name)(x)
    other = keras.Model(i, kl.Dense(2)(kl.Flatten()(x)), name="other")
    with refused("made for another model .*'other'"):
        prune(other, plan)


def test_a_file_gives_the_plan_back(graph, tmp_path):
    plan = half_plan(graph)
    plan.save(tmp_path / "plan.json")
    assert PruningPlan.load(tmp_path / "plan.json") == plan
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_indices_of_any_integer_kind_can_be_saved(graph, tmp_path):
    plan = PruningPlan.for_graph(graph, {"m1": np.flatnonzero([1, 0, 1, 0, 0, 0])})
    plan.save(tmp_path / "plan.json")
    assert json.loads((tmp_path / "plan.json").read_text())["groups"]["m1"]["kept"] == [0, 2]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "{}", '{"fingerprint": "x"}', '{"fingerprint": "x", "groups": [1]}',
        '{"fingerprint": "x", "groups": {"a": {"kept": [0], "channels": "many"}}}',
        '{"fingerprint": "x", "groups": {"a": {"kept": [0.5], "channels": 3}}}',
        '{"fingerprint": "x", "groups": {"a": {"kept": ["0"], "channels": 3}}}',
        '{"fingerprint": "x", "groups": {"a": {"kept": 1, "channels": 3}}}',
        '{"fingerprint": "x", "groups": {"a": {"channels": 3}}}',
        '{"fingerprint": "x", "groups": {"a": {"kept": [0], "channels": Infinity}}}',
        '{"fingerprint": "x", "groups": {}, "admit_norms": "no"}',
        '{"fingerprint": "x", "groups": {}, "blocks": "add"}',
        '{"fingerprint": 3, "groups": {}}', "[" * 10**5,
    ],
)  # fmt: skip
def test_a_corrupt_file_is_refused_in_one_line(text, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(text)
    with refused("plan.json is not a pruning plan") as caught:
        PruningPlan.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with refused("nowhere.json is not a pruning plan"):
        PruningPlan.load(tmp_path / "nowhere.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with refused("is not a pruning plan"):
        PruningPlan.load(tmp_path / "binary.json")


def test_a_file_whose_sizes_were_changed_is_refused(graph, tmp_path):
    half_plan(graph).save(tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text())
    content["groups"]["m1"] = {"channels": 99, "kept": [0, 98]}
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with refused("'m1'.*6.*99"):
        prune(graph.model, PruningPlan.load(tmp_path / "plan.json"))


@pytest.mark.parametrize("name", ["residual", "concat", "generator", "nested_called_twice"])
def test_pruning_twice_is_one_plan(name):
    model = randomise(NETWORKS[name].build())
    first = half_plan(ChannelGraph(model), seed=3)
    once = prune(model, first)
    second = half_plan(ChannelGraph(once), seed=4)
    twice, together = prune(once, second), prune(model, first.then(second))
    assert twice.count_params() < once.count_params()
    for a, b in zip(twice.get_weights(), together.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_plans_that_do_not_follow_each_other_do_not_compose(graph):
    first = PruningPlan.for_graph(graph, {"m1": (0, 1, 2)})
    with refused("do not compose: group 'm1' has 3 channels left, the later plan expects 6"):
        first.then(first)
    other = PruningPlan.for_graph(graph, {"m2": (1, 3)})
    assert first.then(other).kept == {"m1": (0, 1, 2), "m2": (1, 3)}
