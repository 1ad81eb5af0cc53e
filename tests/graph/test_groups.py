"""Which channels hang together: exact groups, since a pin too many is silent otherwise."""

import json

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, Role
from keras_prune.graph.unions import STAYS
from tests.networks import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_groups_units_and_barriers_are_exact(name):
    network = NETWORKS[name]
    graph = ChannelGraph(network.build())
    assert {group.name: group.channels for group in graph.groups.values()} == network.groups
    names = [pin.name.rstrip("_0123456789") for pin in graph.barriers]  # Keras numbers its ops
    assert names == list(network.barriers)
    assert all(pin.reason for pin in graph.pins)
    units = np.concatenate([group.units for group in graph.groups.values()] or [[]])
    assert len(set(units)) == len(units) and STAYS not in units
    summary = graph.summary()
    plain = json.loads(json.dumps(summary.to_dict()))
    several = {name: channels for name, channels in network.groups.items() if channels > 1}
    assert {g["name"]: g["channels"] for g in plain["groups"]} == several
    assert len(summary.to_frame()) == len(several)
    assert str(summary).startswith(f"{summary.model}: {len(several)} group")


def roles(graph: ChannelGraph, group: str) -> dict[str, list[str]]:
    def weights(role: Role) -> list[str]:
        members = graph.groups[group].by_role(role)
        return [f"{m.binding.layer.name}.{m.binding.variable.name}" for m in members]

    return {role.value: weights(role) for role in Role}


def test_a_group_holds_every_slice_of_its_channels():
    i = keras.Input((6, 6, 3))
    x = kl.Conv2D(4, 3, name="a")(i)
    x = kl.DepthwiseConv2D(3, name="d")(kl.BatchNormalization(name="n")(x))
    model = keras.Model(i, kl.Dense(2, name="head")(kl.Flatten()(x)))
    statistics = ["n.gamma", "n.beta", "n.moving_mean", "n.moving_variance"]
    assert roles(ChannelGraph(model), "a") == {
        "producer": ["a.kernel"],
        "consumer": ["head.kernel"],
        "channelwise": ["a.bias", *statistics, "d.kernel", "d.bias"],
    }


def test_owners_say_which_channel_a_position_belongs_to():
    i = keras.Input((2, 3, 3))
    x = kl.Concatenate()([kl.Conv2D(2, 1, name="a")(i), i, kl.Conv2D(2, 1, name="b")(i)])
    x = kl.Conv2D(5, 1, name="c")(x)
    graph = ChannelGraph(keras.Model(i, kl.Dense(2)(kl.Flatten()(x))))
    (a,), (b,) = (graph.groups[name].by_role(Role.CONSUMER) for name in "ab")
    assert a.owner.tolist() == [0, 1, -1, -1, -1, -1, -1]
    assert b.owner.tolist() == [-1, -1, -1, -1, -1, 0, 1]
    (flat,) = graph.groups["c"].by_role(Role.CONSUMER)
    assert flat.owner.tolist() == [0, 1, 2, 3, 4] * 6


def test_grouped_convolution_couples_positions():
    graph = ChannelGraph(NETWORKS["grouped"].build())
    (kernel,) = graph.groups["a"].by_role(Role.PRODUCER)
    assert kernel.owner.tolist() == [0, 1, 2, 3] * 2
    (kernel,) = graph.groups["b"].by_role(Role.PRODUCER)
    assert kernel.owner.tolist() == [0, 1, 2] * 2


def test_the_fingerprint_is_the_models_own():
    model = NETWORKS["residual"].build()
    again = keras.Model.from_config(model.get_config())
    assert ChannelGraph(again).fingerprint == ChannelGraph(model).fingerprint
    names = ["chain", "residual", "concat", "grouped", "nested", "permuted"]
    assert len({ChannelGraph(NETWORKS[name].build()).fingerprint for name in names}) == 6


@pytest.mark.parametrize(
    "name", ["concat_then_add", "nested_with_equal_names", "joins_of_all_kinds", "siamese"]
)
def test_a_file_keeps_names_and_fingerprint(name, tmp_path):
    model = NETWORKS[name].build()
    model.save(tmp_path / "model.keras")
    loaded = ChannelGraph(keras.models.load_model(tmp_path / "model.keras"))
    assert loaded.fingerprint == ChannelGraph(model).fingerprint


def test_a_model_without_groups_says_why():
    graph = ChannelGraph(NETWORKS["residual_with_the_input"].build())
    with pytest.raises(ModelError, match="has no prunable channels.*a model output"):
        graph.require_groups()
    ChannelGraph(NETWORKS["chain"].build()).require_groups()


def test_the_model_is_not_changed_by_the_walk():
    model = NETWORKS["nested_called_twice"].build()
    weights, config = model.get_weights(), model.get_config()
    ChannelGraph(model)
    assert model.get_config() == config
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))


def test_no_channels_names_the_pins_that_hold_most():
    i = keras.Input((4,))
    outputs = [keras.layers.Dense(n, name=f"out{n}")(i) for n in (1, 2, 7)]
    reason = r"most by: out7: a model output \(70% of the parameters\); out2: .* \(20%"
    with pytest.raises(ModelError, match=reason):
        ChannelGraph(keras.Model(i, outputs)).require_groups()
