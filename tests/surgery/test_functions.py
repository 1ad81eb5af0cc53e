"""A rebuilt layer has the functions that the original has, whatever they are called."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune, silence
from tests.surgery.invariant import randomise

layers = keras.layers


def relu(x):
    """Not Keras', whose name it has."""
    return ops.minimum(ops.relu(x), 1.0)


def hat(x):
    return ops.relu(1 - ops.abs(x))


@functools.wraps(relu)
def steep(x):
    return ops.tanh(3 * x)


def small_weights(w):
    return 0.01 * ops.sum(ops.square(w))


class Slope:
    def __init__(self, slope):
        self.slope = slope

    def activate(self, x):
        return ops.maximum(x, self.slope * x)

    __call__ = activate


class Steep(layers.Layer):
    """Is not registered, and holds what its config does not tell."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return ops.tanh(self.factor * x)


class Cell(layers.Layer):
    """Is not registered, and goes into a wrapper of Keras'."""

    def __init__(self, units, activation=None, **options):
        super().__init__(**options)
        self.units = self.state_size = units
        self.activation = activation

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, x, states):
        state = self.activation(ops.matmul(x, self.kernel) + states[0])
        return state, [state]

    def get_config(self):
        return super().get_config() | {"units": self.units, "activation": self.activation}


class Counted(keras.initializers.Initializer):
    """Holds something that its config does not tell."""

    def __init__(self, values=None):
        self.values = values

    def __call__(self, shape, dtype=None):
        return ops.ones(shape, dtype) * len(self.values)


def convolutional(**options):
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, name="conv", **options)(image)
    x = layers.Conv2D(4, 3, activation="relu", name="second")(x)
    return keras.Model(image, layers.Dense(2, name="head")(layers.GlobalAveragePooling2D()(x)))


def sequential(layer):
    """A network over time whose middle layer is given, between two that can lose channels."""
    inputs = keras.Input((7, 3))
    x = layer(layers.Dense(6, name="conv")(inputs))
    x = layers.Dense(4, name="second")(x)
    return keras.Model(inputs, layers.Dense(2, name="head")(layers.GlobalAveragePooling1D()(x)))


CASES = {
    "a name of Keras'": lambda: convolutional(activation=relu),
    "a plain function": lambda: convolutional(activation=hat),
    "a lambda": lambda: convolutional(activation=lambda x: ops.tanh(2 * x)),
    "a partial": lambda: convolutional(
        activation=functools.partial(ops.leaky_relu, negative_slope=0.5)
    ),
    "a method": lambda: convolutional(activation=Slope(0.7).activate),
    "a callable object": lambda: convolutional(activation=Slope(0.7)),
    "a decorated function": lambda: convolutional(activation=steep),
    "an op that is no activation": lambda: convolutional(activation=ops.absolute),
    "a layer of one's own": lambda: convolutional(activation=Steep(3.0)),
    "an op whose default differs": lambda: convolutional(activation=ops.gelu),
    "a layer": lambda: convolutional(activation=layers.LeakyReLU(0.4)),
    "a regularizer": lambda: convolutional(kernel_regularizer=small_weights),
    "an initializer": lambda: convolutional(kernel_initializer=Counted([1, 2])),
    "a layer of it": lambda: sequential(layers.Activation(hat)),
    "inside a wrapper": lambda: sequential(
        layers.TimeDistributed(layers.Dense(5, activation=relu))
    ),
    "inside a cell": lambda: sequential(layers.LSTM(5, activation=hat, return_sequences=True)),
    "inside a cell of one's own": lambda: sequential(
        layers.RNN(Cell(5, hat), return_sequences=True)
    ),
    "of both directions": lambda: sequential(
        layers.Bidirectional(
            layers.GRU(3, recurrent_activation=ops.hard_sigmoid, return_sequences=True)
        )
    ),
    "in a nested model": lambda: sequential(
        keras.Sequential([keras.Input((7, 6)), layers.Dense(5, activation=hat)], name="inner")
    ),
}


@pytest.mark.filterwarnings("ignore:Layer .* of yours called")
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_functions_are_handed_over(make):
    keras.utils.set_random_seed(0)
    model = randomise(make())
    graph = ChannelGraph(model)
    x = np.random.default_rng(0).normal(0, 2, (3, *model.input_shape[1:])).astype("float32")
    whole = PruningPlan.for_graph(graph, {})
    expected = model(x)
    for made in (prune(model, whole), silence(model, whole)):
        np.testing.assert_allclose(made(x), expected, rtol=1e-4, atol=1e-5)
    plan = PruningPlan.for_graph(
        graph, {name: range(group.channels // 2) for name, group in graph.groups.items()}
    )
    np.testing.assert_allclose(prune(model, plan)(x), silence(model, plan)(x), rtol=1e-4, atol=1e-5)


def test_regularizers_and_initializers_are_the_same_objects():
    model = convolutional(
        kernel_regularizer=small_weights, kernel_initializer=Counted([1]), bias_constraint=hat
    )
    old = model.get_layer("conv")
    new = prune(model, PruningPlan.for_graph(ChannelGraph(model), {"second": (0, 1)})).get_layer(
        "conv"
    )
    for name in ("kernel_regularizer", "kernel_initializer", "bias_constraint"):
        assert getattr(new, name) is getattr(old, name)
    assert old.kernel_regularizer is small_weights  # which was out of the way for a moment


def test_what_a_wrapper_builds_is_regularized_by_the_same_object():
    dense = layers.Dense(5, kernel_regularizer=lambda w: ops.sum(ops.abs(w)))
    model = sequential(layers.TimeDistributed(dense))
    small = prune(model, PruningPlan.for_graph(ChannelGraph(model), {}))
    np.testing.assert_allclose(small.losses[0], model.losses[0], rtol=1e-5)


def test_a_name_that_a_file_would_take_for_another_function_is_told_of():
    model = convolutional(activation=relu)
    plan = PruningPlan.for_graph(ChannelGraph(model), {"second": (0, 1)})
    with pytest.warns(
        UserWarning, match="Layer 'conv' has as its activation a function of yours called 'relu'"
    ):
        prune(model, plan)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("activation", [hat, ops.relu, "gelu", keras.activations.gelu])
def test_other_names_are_not(activation):
    model = convolutional(activation=activation)
    prune(model, PruningPlan.for_graph(ChannelGraph(model), {"second": (0, 1)}))


class Scale(layers.Layer):
    """Forgets a number in its config."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor
        self.shift = self.add_weight(shape=(), name="shift")

    def call(self, x):
        return self.factor * x + self.shift

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "trainable": self.trainable}


def test_a_number_that_a_config_leaves_out_is_kept():
    inputs = keras.Input((4,))
    x = Scale(3.0, name="scale")(layers.Dense(6, name="fc")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(x))
    x = np.ones((2, 4), "float32")
    for make in (prune, silence):
        whole = make(model, PruningPlan.for_graph(ChannelGraph(model), {}))
        np.testing.assert_allclose(whole(x), model(x), rtol=1e-6)


class Strict(layers.Dense):
    def __init__(self):
        super().__init__(6, name="strict")


def test_what_keras_says_comes_first_and_the_config_not_at_all():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2)(Strict()(inputs)))
    with pytest.raises(ModelError) as caught:
        prune(model, PruningPlan.for_graph(ChannelGraph(model), {"strict": (0, 1)}))
    message = str(caught.value)
    assert (
        "unexpected keyword argument" in message and "hand **kwargs to super().__init__" in message
    )
    assert "config=" not in message and len(message) < 400 and "\n" not in message
