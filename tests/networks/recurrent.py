"""Recurrent layers: units with their gates, states, both directions, layers at each step."""

import keras
from keras import layers as kl
from keras import ops

from tests.networks.base import network


def steps(width: int = 4) -> keras.KerasTensor:
    return keras.Input((5, width))


@network({"a": 6, "lstm": 7, "gru": 5, "simple": 8})
def recurrent_stack():
    i = steps()
    x = kl.Dense(6, name="a")(i)
    x = kl.LSTM(7, return_sequences=True, name="lstm")(x)
    x = kl.GRU(5, return_sequences=True, reset_after=False, go_backwards=True, name="gru")(x)
    return keras.Model(i, kl.Dense(3)(kl.SimpleRNN(8, use_bias=False, name="simple")(x)))


@network({"encoder": 6, "gru": 5, "more": 4})
def states_handed_on():
    """What one layer ends with another begins with."""
    i, j = steps(), keras.Input((3, 2))
    _, h, c = kl.LSTM(6, return_state=True, name="encoder")(i)
    x = kl.LSTM(6, return_sequences=True, name="decoder")(j, initial_state=[h, c])
    x, last = kl.GRU(5, return_sequences=True, return_state=True, name="gru")(x)
    x = ops.concatenate([ops.mean(x, axis=1), last, kl.Dense(4, name="more")(c)], axis=-1)
    return keras.Model([i, j], kl.Dense(3)(x))


@network({"both/forward": 4, "summed/forward": 6, "apart/forward": 3})
def both_directions():
    i = steps()
    x = kl.Bidirectional(kl.LSTM(4, return_sequences=True), name="both")(i)
    x = kl.Bidirectional(kl.GRU(6, return_sequences=True), merge_mode="sum", name="summed")(x)
    back = kl.SimpleRNN(3, go_backwards=True)
    apart = kl.Bidirectional(kl.SimpleRNN(3), None, backward_layer=back, name="apart")(x)
    return keras.Model(i, kl.Dense(3)(ops.concatenate(apart, axis=-1)))


@network({"both/forward": 4, "state": 3})
def states_of_both_directions():
    i = steps()
    x, *states = kl.Bidirectional(kl.GRU(4, return_state=True), name="both")(i)
    x = ops.concatenate([x, kl.Dense(3, name="state")(states[1])], axis=-1)
    return keras.Model(i, kl.Dense(3)(x))


@network({"cells/0": 4, "cells/1": 5, "alone": 3})
def cells():
    i = steps()
    stack = [kl.LSTMCell(4), kl.GRUCell(5)]
    x, *states = kl.RNN(stack, return_sequences=True, return_state=True, name="cells")(i)
    x = kl.RNN(kl.SimpleRNNCell(3), name="alone")(x)
    last = keras.tree.flatten(states)
    return keras.Model(i, kl.Dense(3)(ops.concatenate([x, last[0], last[2]], axis=-1)))


@network({"frames": 4, "film": 6})
def films():
    i = keras.Input((3, 6, 6, 2))
    x = kl.TimeDistributed(kl.Conv2D(4, 3, padding="same"), name="frames")(i)
    x = kl.ConvLSTM2D(6, 3, padding="same", return_sequences=True, name="film")(x)
    x = kl.TimeDistributed(kl.BatchNormalization(), name="norms")(x)
    x = kl.TimeDistributed(kl.MaxPooling2D(), name="pools")(x)
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling3D()(x)))


@network({"a": 6, "late": 4})
def mixing_units():
    """A softmax in a cell mixes its units."""
    i = steps()
    x = kl.LSTM(7, activation="softmax", name="mixing")(kl.Dense(6, name="a")(i))
    return keras.Model(i, kl.Dense(3)(kl.Dense(4, name="late")(x)))


@network({"wide": 3, "steps": 4})
def steps_made_of_channels():
    """A channel of a step leaves all steps."""
    i = keras.Input((4,))
    x = kl.Reshape((5, 3))(kl.Dense(15, name="wide")(i))
    x = kl.TimeDistributed(kl.Dense(4), name="steps")(x)
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


def small():
    i = keras.Input((6,))
    hidden = kl.Dense(4, name="hidden")(i)
    return keras.Model(i, kl.Dense(5, name="made")(hidden), name="inside")


def after(x, i):
    return keras.Model(i, kl.Dense(3)(kl.Dense(8, name="a")(kl.GlobalAveragePooling1D()(x))))


@network({"hidden": 4, "made": 5, "a": 8})
def a_model_at_each_step():
    i = keras.Input((5, 6))
    return after(kl.TimeDistributed(small(), name="steps")(i), i)


@network({"a": 8}, ["steps"])
def a_model_at_each_of_any_number_of_steps():
    """It stays, and is rebuilt."""
    i = keras.Input((None, 6))
    return after(kl.TimeDistributed(small(), name="steps")(i), i)


@network({"hidden": 4, "made": 5, "a": 8})
def a_model_at_each_step_of_each_step():
    i = keras.Input((2, 5, 6))
    x = kl.TimeDistributed(kl.TimeDistributed(small()), name="steps")(i)
    return after(ops.mean(x, axis=1), i)


@network({"conv": 4, "wide": 7, "a": 8})
def an_image_at_each_step():
    frame = keras.Input((6, 6, 2))
    x = kl.ReLU()(kl.BatchNormalization()(kl.Conv2D(4, 3, name="conv")(frame)))
    x = kl.Dense(7, name="wide")(kl.GlobalAveragePooling2D()(x))
    i = keras.Input((3, 6, 6, 2))
    return after(kl.TimeDistributed(keras.Model(frame, x))(i), i)


@keras.saving.register_keras_serializable("recurrent")
class Scaled(kl.Layer):
    def build(self, shape):
        self.scale = self.add_weight((shape[-1],), name="scale")

    def call(self, x):
        return x * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape


@network({"early": 6, "a": 8})
def a_users_layer_at_each_step():
    i = keras.Input((5, 6))
    x = kl.Dense(6, name="early")(i)
    return after(kl.TimeDistributed(Scaled(), name="steps")(x), i)
