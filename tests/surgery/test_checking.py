"""When a rebuilt model has to be run to see that its examples stay apart."""

import keras
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.graph import trace
from keras_prune.surgery.checking import needs_trial
from tests.networks import conv, head, image
from tests.networks.barriers import untraceable


class Relu(kl.Layer):
    """Called as an op of Keras is."""

    def call(self, x):
        return ops.flip(x, axis=0)


class Wider(kl.Conv2D):
    """A layer of Keras with something added."""


def called(layer):
    i = image()
    return keras.Model(i, head(layer(conv(4, "a")(i))))


@pytest.mark.parametrize(
    ("layer", "needed"),
    [
        (kl.BatchNormalization(), False),
        (lambda x: kl.Add()([x, x]), False),
        (lambda x: ops.relu(x) + x, False),
        (kl.Reshape((-1, 4)), False),
        (lambda x: ops.reshape(x, (-1, 2, 2, 4)), True),
        (kl.Lambda(untraceable), True),
        (Relu(), True),
        (Wider(3, 1), True),
        (kl.TimeDistributed(kl.Dense(3)), True),
        (keras.Sequential([kl.Conv2D(3, 1)]), True),
    ],
)
def test_only_what_may_mix_examples_is_tried(layer, needed):
    if isinstance(layer, kl.Reshape):
        i = image()
        model = keras.Model(i, kl.Dense(2)(layer(conv(4, "a")(i))))
    else:
        model = called(layer)
    assert needs_trial(trace(model).calls) is needed
