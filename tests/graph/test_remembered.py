"""Subclassed models are traced once, and anew once they changed."""

import gc
import weakref

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.errors import ModelError
from keras_prune.graph import trace


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = kl.Dense(6, name="a"), kl.Dense(3, name="b")
        self.bent = False
        self.options = {"double": False}
        self.act = ops.relu
        self(np.zeros((1, 4), "float32"))

    def call(self, x):
        x = self.act(self.a(x))
        x = ops.tanh(x) if self.bent else x
        return self.b(x * 2 if self.options["double"] else x)


def test_a_model_is_traced_once_and_its_trace_does_not_keep_it():
    model = Model()
    first = trace(model)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    assert trace(model).calls is first.calls
    gone = weakref.ref(model)
    del model, first
    gc.collect()
    assert gone() is None


def test_a_replaced_layer_is_seen():
    model = Model()
    trace(model)
    model._tracker.unlock()
    model.b = kl.Dense(3, name="other")
    model(np.zeros((1, 4), "float32"))
    with pytest.raises(ModelError, match="no layer that it calls has its weight"):
        trace(model)  # Keras still lists the old one


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda m: setattr(m, "bent", True), ["a", "relu", "tanh", "b"]),
        (lambda m: setattr(m, "act", ops.tanh), ["a", "tanh", "b"]),
        (lambda m: m.options.update({"double": True}), ["a", "relu", "multiply", "b"]),
        (lambda m: m.a.enable_lora(2), ["a", "relu", "b"]),
    ],
)
def test_a_changed_model_is_traced_anew(change, names):
    model = Model()
    before = trace(model)
    change(model)
    after = trace(model)
    assert after.calls is not before.calls
    assert [call.name for call in after.calls] == names
