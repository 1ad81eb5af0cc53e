"""A drawing shows every call, and no edge runs through what it skips."""

import keras
import pytest
from keras import layers as kl

from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.reporting.graph_layout import lanes, nodes
from keras_prune.reporting.graph_plot import draw
from tests.networks import NETWORKS, conv, head, image, sampled
from tests.networks.barriers import Unknown


def residual() -> keras.Model:
    i = image()
    x = conv(8, "a")(i)
    y = conv(8, "c")(kl.ReLU(name="relu")(conv(8, "b")(x)))
    return keras.Model(i, head(Unknown(name="odd")(kl.Add(name="add")([x, y]))))


def test_rows_are_depths():
    placed = nodes(ChannelGraph(residual()))
    rows = {node.path: node.row for node in placed}
    assert [rows[name] for name in ("a", "b", "relu", "c", "add", "odd")] == [0, 1, 2, 3, 4, 5]
    assert all(placed[s].row < node.row for node in placed for s in node.sources)


def test_places_of_a_row_are_centred_and_apart():
    i = image()
    model = keras.Model(i, head(kl.Add()([conv(8, name)(i) for name in "abc"])))
    placed = [node for node in nodes(ChannelGraph(model)) if node.row == 0]
    assert [(node.path, node.place) for node in placed] == [("a", -1), ("b", 0), ("c", 1)]


def test_edges_that_skip_rows_have_lanes_of_their_own():
    i = image()
    a = conv(8, "a")(i)
    b = conv(8, "b")(a)
    c = conv(8, "c")(b)
    d = kl.Add(name="d")([c, a])
    e = kl.Add(name="e")([d, b])
    placed = nodes(ChannelGraph(keras.Model(i, head(e))))
    found = {(placed[w.source].path, placed[w.target].path): w.number for w in lanes(placed)}
    assert found == {("a", "d"): 0, ("b", "e"): 1}


def test_nested_models_are_opened_at_every_call():
    i = image()
    block = keras.Sequential([i, conv(3, "x"), kl.ReLU(name="y")], name="block")
    placed = nodes(ChannelGraph(keras.Model(i, head(block(block(i))))))
    paths = [node.path for node in placed]
    assert paths[:4] == ["block/x", "block/y", "block/x", "block/y"]
    assert [node.sources for node in placed[:4]] == [(), (0,), (1,), (2,)]


def test_a_drawing_names_every_call_and_group(tmp_path):
    graph = ChannelGraph(residual())
    draw(graph, tmp_path / "graph.svg")
    svg = (tmp_path / "graph.svg").read_text()
    for call in graph.trace.calls:
        assert f"<!-- {call.name} -->" in svg
    assert svg.count("<!-- b -->") == 2  # its box, and the legend
    assert "#cc1a1a" in svg  # the barrier's frame


@pytest.mark.parametrize("name", sampled())
def test_every_network_can_be_drawn(name, tmp_path):
    draw(ChannelGraph(NETWORKS[name].build()), tmp_path / "graph.svg")


def test_a_png_has_a_size_that_can_be_opened(tmp_path):
    draw(ChannelGraph(residual()), tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", ["graph.pdf", "graph", "absent/graph.svg", "directory.svg"])
def test_a_path_that_cannot_be_written_is_refused(name, tmp_path):
    (tmp_path / "directory.svg").mkdir()
    with pytest.raises(ConfigError, match="drawing"):
        draw(ChannelGraph(residual()), tmp_path / name)
