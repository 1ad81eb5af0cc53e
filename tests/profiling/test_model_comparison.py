import keras
import pandas as pd
import pytest

from keras_prune import zoo
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.profiling import Change, compare, profile
from keras_prune.surgery import prune
from tests.networks.barriers import untraceable

layers = keras.layers


def network(*hidden):
    inputs = x = keras.Input((10,))
    for name, units in hidden:
        x = layers.Dense(units, name=name)(x)
    return keras.Model(inputs, x)


def test_change():
    assert Change(200, 50).difference == -150
    assert Change(200, 50).reduction_percent == 75.0
    assert Change(50, 200).reduction_percent == -300.0
    assert Change(0, 5).difference == 5
    assert Change(0, 5).reduction_percent is None
    assert Change(None, 5).difference is None
    assert Change(5, None).reduction_percent is None


def test_side_by_side():
    found = compare(network(("a", 8), ("b", 4)), network(("a", 6), ("b", 4)))
    frame = found.to_frame()
    assert list(frame.index) == ["a", "b"]
    assert frame.loc["a", "macs"].to_dict() == {
        "before": 80,
        "after": 60,
        "difference": -20,
        "reduction_percent": 25.0,
    }
    assert frame.loc["b", "parameters"].to_dict()["after"] == 28
    assert frame["output_shape"].loc["a"].to_list() == [(8,), (6,)]
    assert found.total["macs"] == Change(80 + 32, 60 + 24)
    for cost, change in found.total.items():
        assert frame[cost]["before"].sum() == change.before
        assert frame[cost]["after"].sum() == change.after
        assert frame[cost]["difference"].sum() == change.difference


def test_layers_of_one_model_only():
    found = compare(network(("a", 8), ("gone", 4)), network(("a", 8), ("new", 2)))
    frame = found.to_frame()
    assert list(frame.index) == ["a", "gone", "new"]
    assert frame["output_shape"].loc["gone"].to_list() == [(4,), None]
    assert frame["output_shape"].loc["new"].to_list() == [None, (2,)]
    assert found.layers["gone"]["macs"] == Change(32, 0)
    assert found.layers["new"]["macs"] == Change(0, 16)
    assert frame.loc["gone", ("macs", "reduction_percent")] == 100.0
    assert frame.loc["new", ("macs", "reduction_percent")] is pd.NA
    assert list(frame["kind"]) == ["Dense"] * 3


def test_uncounted_work_has_no_difference():
    inputs = keras.Input((4, 3))
    own = layers.Lambda(untraceable, name="own")(inputs)
    model = keras.Model(inputs, layers.Dense(5, name="dense")(own))
    found = compare(model, model)
    assert found.to_frame().loc["own", "macs"].isna().all()
    assert found.to_frame().loc["own", ("parameters", "reduction_percent")] is pd.NA
    assert str(found).count("at least 60") == 2  # MACs before and after


@pytest.mark.parametrize("convention", ["standard", "lenet"])
def test_a_pruned_model_matches_layer_by_layer(convention):
    model = zoo.lenet5()
    plan = PruningPlan.for_graph(ChannelGraph(model), {"conv1": (0, 2, 5), "conv2": (1, 3)})
    small = prune(model, plan)
    found = compare(model, small, convention)
    assert list(found.layers) == [row.name for row in profile(model).layers]
    assert found.before.convention == found.after.convention == convention
    assert found.layers["conv1"]["macs"] == Change(117_600, 58_800)
    assert found.layers["conv2"]["macs"] == Change(240_000, 2 * 3 * 25 * 100)
    assert found.layers["conv2"]["flops"].after == 2 * (2 * 3 * 25 * 100) + 200
    assert found.layers["fc1"]["parameters"].after == 2 * 25 * 120 + 120
    assert found.total["parameters"].after == small.count_params()


def test_two_different_networks_are_told():
    def chain(*names):
        made = [keras.layers.Dense(4, name=name) for name in names]
        return keras.Sequential([keras.Input((4,)), *made])

    with pytest.warns(UserWarning, match="two different networks: 1 of 3 layer names are in both"):
        compare(chain("a", "b", "c"), chain("c", "d", "e"))
