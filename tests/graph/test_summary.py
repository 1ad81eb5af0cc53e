"""What a graph tells about itself."""

import keras
from keras import layers as kl

from keras_prune.graph import ChannelGraph
from tests.networks import conv, head, image
from tests.networks.barriers import Unknown

ODD = (
    "odd: no rule for the layer Unknown; its call fails on symbolic tensors (AttributeError: "
    "'KerasTensor' object has no attribute 'value')"
)


def example() -> ChannelGraph:
    i = image()
    x = kl.Add(name="meet")([conv(3, "met")(i), i])
    x = kl.BatchNormalization(name="norm")(conv(8, "a")(x))
    x = Unknown(name="odd")(conv(5, "before")(x))
    model = keras.Model(i, head(conv(6, "b")(x)), name="example")
    return ChannelGraph(model)


def test_rows_say_what_can_leave_and_what_one_channel_costs():
    a, b = example().summary().groups
    assert (a.name, a.channels, b.name, b.channels) == ("a", 8, "b", 6)
    assert a.parameters == (27 + 1 + 4 + 9 * 5,) * 2
    assert a.macs == (36 * (27 + 9 * 5),) * 2
    assert a.layers == ("a", "norm", "before")
    assert [(m.layer, m.weight, m.axis, m.role) for m in b.members] == [
        ("b", "kernel", 3, "producer"),
        ("b", "bias", 0, "channelwise"),
        ("head", "kernel", 0, "consumer"),
    ]


def test_what_stays_is_listed_with_the_reason():
    rows = {row.layer: row for row in example().summary().pinned}
    assert list(rows) == ["met", "before", "head"]
    assert rows["met"].reasons == ("its channels meet a model input or others that stay",)
    assert rows["before"].reasons == (ODD,)
    assert rows["head"].reasons == ("head: a model output",)
    assert (rows["before"].pinned, rows["before"].channels) == (5, 5)


def test_a_reason_is_found_through_what_the_channels_meet():
    i = image()
    x = kl.Add()([conv(8, "a")(i), conv(8, "b")(i)])
    x = kl.Add()([kl.ReLU()(x), Unknown(name="odd")(conv(8, "c")(i))])
    summary = ChannelGraph(keras.Model(i, head(x))).summary()
    rows = {row.layer: row.reasons for row in summary.pinned}
    assert rows["c"] == (ODD,)
    assert rows["a"] == rows["b"] == ("its channels meet a model input or others that stay",)


def test_some_of_a_layers_channels_may_stay():
    (row,) = [row for row in ChannelGraph(partly()).summary().pinned if row.layer == "a"]
    assert (row.pinned, row.channels) == (3, 8)


def partly() -> keras.Model:
    i = image()
    x = conv(8, "a")(i)
    met = kl.Add()([x, kl.Concatenate()([i, conv(5, "free")(i)])])
    return keras.Model(i, head(met))


def test_an_operation_without_a_rule_is_listed_though_it_pins_nothing_new():
    i = image()
    x = Unknown(name="twice")(Unknown(name="once")(i))
    summary = ChannelGraph(keras.Model(i, head(conv(8, "a")(x)))).summary()
    assert [row.name for row in summary.barriers] == ["once", "twice"]
    assert [row.name for row in summary.groups] == ["a"]


def test_nested_layers_are_named_with_their_models():
    i = image()
    block = keras.Sequential([i, conv(8, "a"), conv(6, "b")], name="block")
    summary = ChannelGraph(keras.Model(i, head(block(i)))).summary()
    assert [row.layers for row in summary.groups] == [
        ("block/a", "block/b"),
        ("block/b", "head"),
    ]


def test_unknown_work_is_a_gap():
    i = image(size=None)
    summary = ChannelGraph(keras.Model(i, head(conv(8, "a")(i)))).summary()
    assert summary.to_dict()["groups"][0]["macs"] is None
    assert summary.to_frame()["macs_least"].isna().all()
    assert " ? " in str(summary)


def test_residual_blocks_are_named():
    i = image()
    x = conv(8, "stem")(i)
    model = keras.Model(i, head(kl.Add(name="sum")([x, conv(8, "inside")(x)])))
    summary = ChannelGraph(model).summary()
    assert summary.blocks == ("inside:branch",)
    assert summary.to_dict()["blocks"] == ["inside:branch"]
    assert "Residual blocks that can leave whole: inside:branch" in str(summary)
