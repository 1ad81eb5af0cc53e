"""The three tables: published figures, and what zeros change."""

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.methods.magnitude import layer_tables
from keras_prune.methods.magnitude.tables import as_markdown, summary
from keras_prune.reporting import ModelFigures, PruningReport

from .small import network

PUBLISHED = {
    "lenet5": (
        {"conv1": 156, "conv2": 2416, "fc1": 48120, "fc2": 10164, "fc3": 850, "total": 61706},
        {"conv1": "239.90", "relu": "0.08", "pool1": "4.70", "conv2": "481.60", "pool2": "1.60",
         "fc1": "96.12", "fc2": "20.24", "fc3": "1.69", "total": "845.95"},
    ),
    "lenet300_100": (
        {"fc1": 235500, "fc2": 30100, "fc3": 1010, "total": 266610},
        {"fc1": "470.70", "relu": "0.10", "fc2": "60.10", "fc3": "2.01", "total": "532.91"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_unpruned_networks_cost_what_was_published(name):
    parameters, flops = PUBLISHED[name]
    model = zoo.get(name)()
    tables = {cost: table.set_index("layer") for cost, table in layer_tables(model, model).items()}
    assert tables["parameters"]["before"].to_dict() == parameters
    assert {layer: f"{k:.2f}" for layer, k in tables["flops"]["before"].items()} == flops
    assert tables["bytes"].loc["total", "before"] == 4 * parameters["total"] / 1000
    for table in tables.values():
        assert (table["reduction_percent"] == 0).all()


@pytest.fixture
def tables():
    before, after = network(), network()
    for name in ("conv", "fc1"):
        kernel = after.get_layer(name).kernel.numpy()
        kernel[..., :3:2], kernel[..., 4::2] = -0.0, 0.0
        after.get_layer(name).kernel.assign(kernel)
    return layer_tables(before, after)


def test_zeros_cost_nothing(tables):
    rows = {cost: table.set_index("layer") for cost, table in tables.items()}
    assert rows["parameters"].loc["fc1"].tolist() == [
        3472, 1744, -1728, pytest.approx(100 * 1728 / 3472),
    ]  # fmt: skip
    assert rows["bytes"].loc["conv"].tolist()[:3] == [0.24, 0.132, -0.108]
    assert rows["flops"].loc["conv"].tolist()[:2] == [(108 + 6) * 36 / 1000, (54 + 6) * 36 / 1000]
    assert rows["parameters"].loc["total", "after"] == 54 // 2 + 6 + 1744 + 68


def test_the_summary_says_how_many_times_smaller(tables):
    figures = [ModelFigures(accuracy, 0.1, 98.0, 1, 1, 1, 1) for accuracy in (99.0, 98.5)]
    report = PruningReport("magnitude", "small", "digits", 0, {}, *figures, groups=())
    frame = summary(tables, report).set_index("figure")
    assert frame.loc["Test accuracy (%)"].tolist()[:3] == [99.0, 98.5, -0.5]
    assert frame.loc["Parameters", "times_smaller"] == pytest.approx(3600 / 1845, abs=0.01)
    page = as_markdown(tables, summary(tables, report))
    assert "| fc1 | 3,472 | 1,744 | -1,728 | 49.77 |\n" in page
    assert page.index("## Summary") < page.index("## Parameters") < page.index("## FLOPs (K)")


def test_nested_layers_have_rows():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")], name="in")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="head")(inner(inputs)))
    table = layer_tables(model, model)["parameters"]
    assert table["layer"].tolist() == ["hidden", "head", "total"]
    assert np.isclose(table["before"].iloc[-1], 15 + 8)
