"""The golden invariant on every network, and what cannot be cut."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.errors import ModelError, PlanError
from keras_prune.graph import ChannelGraph, Rule, along_channels, register
from keras_prune.graph.rules import base
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune, silence
from tests.networks import NETWORKS, behind, conv, head, image
from tests.surgery.invariant import (
    assert_invariant,
    assert_same,
    example,
    half_plan,
    outputs,
    randomise,
)

# What Keras cannot run on JAX: counts of repeats as a list, the op max_pool.
NOT_ON_JAX = {"repeated_unequally", "resized_and_pooled"}
RUNNING = [
    pytest.param(name, marks=[pytest.mark.tensorflow] if name in NOT_ON_JAX else [])
    for name, network in NETWORKS.items()
    if network.runs
]
# What Keras itself cannot load: an op of one's own, a nested model that is shared by two models.
NOT_LOADED = {"unknown_op", "nested_at_two_depths"}


@pytest.mark.parametrize("name", RUNNING)
def test_pruned_is_silenced(name, tmp_path):
    network = NETWORKS[name]
    model = randomise(network.build())
    file = None if name in NOT_LOADED else tmp_path / "pruned.keras"
    pruned = assert_invariant(
        model, half_plan(ChannelGraph(model)), file, bites=bool(network.groups)
    )
    assert (pruned.count_params() < model.count_params()) == bool(network.groups)


@pytest.mark.parametrize(
    "name",
    [
        "residual", "concat_then_add", "grouped", "nested_called_twice", "halves", "take",
        "slices_with_a_gap", "axes_of_length_one", "padded_shortcut",
    ],
)  # fmt: skip
@pytest.mark.parametrize("last", [False, True])
def test_one_channel_is_enough(name, last):
    model = randomise(NETWORKS[name].build())
    graph = ChannelGraph(model)
    kept = {name: (g.channels - 1 if last else 0,) for name, g in graph.groups.items()}
    assert_invariant(model, PruningPlan.for_graph(graph, kept))


@pytest.mark.parametrize("name", ["residual", "siamese", "several_inputs_and_outputs", "masked"])
def test_a_plan_that_keeps_all_changes_nothing(name):
    model = randomise(NETWORKS[name].build())
    graph = ChannelGraph(model)
    plan = PruningPlan.for_graph(graph, {n: range(g.channels) for n, g in graph.groups.items()})
    pruned, x = prune(model, plan), example(model)
    assert_same(outputs(pruned, x), outputs(model, x))
    assert pruned.count_params() == model.count_params()
    assert pruned.get_config() == model.get_config()


def test_channels_first_has_the_right_shapes():
    """TensorFlow cannot run it on a CPU."""
    model = NETWORKS["channels_first"].build()
    plan = PruningPlan.for_graph(ChannelGraph(model), {"a": (1, 4, 6), "b": (0, 5)})
    pruned = prune(model, plan)
    assert pruned.get_layer("a").kernel.shape == (3, 3, 3, 3)
    assert pruned.get_layer("b").kernel.shape == (3, 3, 3, 2)
    assert pruned.layers[-1].kernel.shape == (2, 3)


def test_structure_names_and_flags_stay():
    model = NETWORKS["nested_with_equal_names"].build()
    model.get_layer("stem").trainable = False
    model.get_layer("two").get_layer("inner").trainable = False
    graph = ChannelGraph(model)
    pruned = prune(model, half_plan(graph))
    assert [layer.name for layer in pruned.layers] == [layer.name for layer in model.layers]
    assert [type(layer) for layer in pruned.layers] == [type(layer) for layer in model.layers]
    assert len(pruned.trainable_weights) == len(model.trainable_weights)
    assert not pruned.get_layer("two").get_layer("inner").trainable
    assert not {id(w) for w in pruned.weights} & {id(w) for w in model.weights}


@pytest.mark.parametrize("name", ["sequential", "nested"])
def test_a_frozen_model_stays_frozen(name):
    model = NETWORKS[name].build()
    model.trainable = False
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert not pruned.trainable and not pruned.trainable_weights


def test_sequential_and_shared_layers_stay_what_they_are():
    model = randomise(NETWORKS["sequential"].build())
    model.layers[1].trainable = False
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert isinstance(pruned, keras.Sequential)
    assert [layer.trainable for layer in pruned.layers] == [x.trainable for x in model.layers]
    model = NETWORKS["siamese"].build()
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert len(pruned.weights) == len(model.weights)
    assert isinstance(pruned.get_layer("tower"), keras.Sequential)


def test_inputs_and_outputs_keep_their_structure():
    model = randomise(NETWORKS["inputs_and_outputs_by_name"].build())
    pruned = prune(model, half_plan(ChannelGraph(model)))
    results = pruned(example(model), training=False)
    assert {name: tuple(value.shape) for name, value in results.items()} == {
        "late": (3, 2), "early": (3, 3),
    }  # fmt: skip


def test_the_channels_kept_are_the_ones_the_plan_names():
    model = randomise(NETWORKS["chain"].build())
    pruned = prune(model, PruningPlan.for_graph(ChannelGraph(model), {"a": (1, 6)}))
    kernel, norm = model.get_layer("a").get_weights()[0], model.layers[2].get_weights()
    np.testing.assert_array_equal(pruned.get_layer("a").get_weights()[0], kernel[..., [1, 6]])
    for new, old in zip(pruned.layers[2].get_weights(), norm, strict=True):
        np.testing.assert_array_equal(new, old[[1, 6]])
    reader = model.get_layer("b").get_weights()[0]
    np.testing.assert_array_equal(pruned.get_layer("b").get_weights()[0], reader[:, :, [1, 6]])


def test_a_pruned_model_can_be_trained_and_keeps_its_precision():
    keras.utils.set_random_seed(0)
    i = image()
    x = kl.BatchNormalization(dtype="float32")(kl.Conv2D(6, 3, name="a", dtype="mixed_bfloat16")(i))
    model = randomise(keras.Model(i, head(kl.Dropout(0.2)(x))))
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert pruned.get_layer("a").dtype_policy.name == "mixed_bfloat16"
    pruned.compile("sgd", "mse")
    before = pruned.get_weights()
    pruned.train_on_batch(example(model), np.zeros((3, 4), "float32"))
    assert not np.array_equal(before[0], pruned.get_weights()[0])


def test_a_normalization_that_was_adapted_stays_so():
    normalization = kl.Normalization()
    normalization.adapt(np.random.default_rng(0).normal(3, 2, (20, 6, 6, 3)).astype("float32"))
    i = image()
    model = randomise(keras.Model(i, head(conv(6, "b")(conv(8, "a")(normalization(i))))))
    normalization.finalize_state()
    assert_invariant(model, half_plan(ChannelGraph(model)))


LOAD = """
import sys
sys.modules["keras_prune"] = None  # any import of it fails
import keras, numpy as np
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    data = np.load(f"{name}.npz")
    x = [data[f"x{i}"] for i in range(len(model.inputs))]
    y = model(x if len(x) > 1 else x[0], training=False)
    np.testing.assert_allclose(np.array(y), data["y"], rtol=1e-4, atol=1e-5)
print("same")
"""


@pytest.mark.slow
def test_the_file_loads_without_this_package(tmp_path):
    names = ["residual", "nested_called_twice", "siamese", "squeeze_excite_reshaped"]
    for name in names:
        model = randomise(NETWORKS[name].build())
        pruned, x = prune(model, half_plan(ChannelGraph(model))), example(model)
        pruned.save(tmp_path / f"{name}.keras")
        inputs = {f"x{i}": value for i, value in enumerate(keras.tree.flatten(x))}
        np.savez(tmp_path / f"{name}.npz", y=outputs(pruned, x)[0], **inputs)
    command = [sys.executable, "-W", "ignore", "-c", LOAD, *names]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "same", done.stderr


def test_initialisers_stay_but_those_that_hold_an_array():
    array = keras.initializers.Constant(np.ones((3, 8), "float32"))
    i = keras.Input((3,))
    x = kl.Dense(8, kernel_initializer=array, bias_initializer="ones", name="a")(i)
    model = randomise(keras.Model(i, kl.Dense(2, kernel_initializer="he_normal", name="b")(x)))
    pruned = assert_invariant(model, half_plan(ChannelGraph(model)))
    a, b = pruned.get_layer("a"), pruned.get_layer("b")
    assert isinstance(a.kernel_initializer, keras.initializers.Zeros)
    assert isinstance(a.bias_initializer, keras.initializers.Ones)
    assert isinstance(b.kernel_initializer, keras.initializers.HeNormal)


def test_weights_that_are_nan_are_a_warning_that_names_the_layers():
    model = randomise(NETWORKS["chain"].build())
    model.get_layer("b").bias.assign(np.full(6, np.nan))
    with pytest.warns(UserWarning, match="Weights of 'b' are NaN") as caught:
        prune(model, half_plan(ChannelGraph(model)))
    (warning,) = [warning for warning in caught if warning.category is UserWarning]
    assert warning.filename == __file__


class Rows(kl.Layer):
    """Takes any eight numbers for one example."""

    def call(self, x):
        return ops.reshape(x, (-1, 8))


class OnlyWhole(kl.Layer):
    """Its symbolic call takes any number of channels, its real one eight."""

    def call(self, x):
        return x

    def __call__(self, x, **options):
        symbolic = isinstance(x, keras.KerasTensor)
        return super().__call__(x if symbolic else ops.matmul(x, np.eye(8, dtype="float32")))


@pytest.mark.tensorflow  # JAX refuses such a reshape itself, before any run
@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda x: ops.reshape(x, (-1, 8)), "The rebuilt 'reshape.*' makes a batch of 1 of 2 exa"),
        (Rows(name="rows"), "The rebuilt 'rows' makes a batch of 1 of 2 examples. Expected: 2"),
        (OnlyWhole(name="whole"), "The rebuilt 'whole' fails on 2 examples: .*4.*8"),
    ],
)
def test_what_only_a_run_shows_is_an_error_that_names_the_call(operation, message):
    """The shapes do not tell: a wrong rule says that the output stays as it is."""
    named, layers = base._NAMED.copy(), base._LAYERS.copy()

    @register("Reshape")
    @register(Rows)
    class Trusting(Rule):
        def label(self, call, walk):
            return [np.zeros_like(walk.of(call.inputs[0]))]

    @register(OnlyWhole)
    class Passing(Rule):
        def label(self, call, walk):
            return [walk.of(call.inputs[0])]

    try:
        i = keras.Input((8,))
        x = operation(kl.Dense(8, name="a")(i))
        model = keras.Model(i, kl.Dense(2)(kl.Dense(3, name="b")(x)))
        graph = ChannelGraph(model)
        with pytest.raises(ModelError, match=message):
            prune(model, PruningPlan.for_graph(graph, {"a": (0, 1, 2, 3)}))
    finally:
        for rules, before in ((base._NAMED, named), (base._LAYERS, layers)):
            rules.clear()
            rules.update(before)


def test_the_trial_run_leaves_no_trace():
    """A normalisation that is always in training would take the sample's statistics."""
    i = keras.Input((6,))
    x = kl.BatchNormalization(name="norm")(kl.Dense(8, name="a")(i), training=True)
    model = randomise(keras.Model(i, kl.Dense(2)(x)))
    kept = (0, 2, 5)
    pruned = prune(model, PruningPlan.for_graph(ChannelGraph(model), {"a": kept}))
    for name in ("moving_mean", "moving_variance"):
        before, after = (getattr(m.get_layer("norm"), name).numpy() for m in (model, pruned))
        np.testing.assert_array_equal(after, before[list(kept)])


# --- what cannot be cut ------------------------------------------------------------------------


class Halves(kl.Layer):
    """Splits the channels in two."""

    def call(self, x):
        return ops.split(x, 2, axis=-1)


def test_every_tensor_needs_a_survivor():
    @register(Halves)
    class HalvesRule(Rule):
        def label(self, call, walk):
            return np.split(walk.of(call.inputs[0]), 2, axis=-1)

    try:
        i = image()
        left, right = Halves(name="halves")(conv(8, "a")(i))
        model = randomise(keras.Model(i, head(kl.Concatenate()([conv(3, "b")(left), right]))))
        graph = ChannelGraph(model)
        assert graph.groups["a"].channels == 8
        assert_invariant(model, PruningPlan.for_graph(graph, {"a": (0, 1, 4, 7)}))
        with pytest.raises(PlanError, match="leaves no channel of what layer 'halves' returns"):
            prune(model, PruningPlan.for_graph(graph, {"a": (0, 1, 2)}))
    finally:
        base._LAYERS.pop(Halves)


class Forgets(kl.Layer):
    """Its get_config leaves out what its arguments were."""

    def __init__(self, length=3, bias=False, rows=1, **options):
        super().__init__(**options)
        self.rows = rows
        self.table = self.add_weight((length,))
        self.bias = self.add_weight(()) if bias else 0

    def call(self, x):
        return ops.repeat(x * ops.sum(self.table) + self.bias, self.rows, axis=1)

    def get_config(self):
        return {"name": self.name}


class Refuses(kl.Layer):
    """It cannot be made from its config at all."""

    def __init__(self, needed, **options):
        super().__init__(**options)
        self.scale = self.add_weight(())

    def call(self, x):
        return x * self.scale

    def get_config(self):
        return {"name": self.name}


class Bare(kl.Layer):
    """Takes none of what Keras writes into every config."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.scale = self.add_weight(())

    def call(self, x):
        return x * self.scale * self.factor

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            lambda: Bare(2.0),
            r"get_config: Bare\.__init__\(\) got an unexpected keyword argument 'name'. Let its",
        ),
        (lambda: Forgets(5, name="liar"), "'liar' was rebuilt from its get_config with .*shapes"),
        (lambda: Forgets(bias=True, name="liar"), "'liar' was rebuilt from its get_config"),
        (lambda: Forgets(rows=2, name="liar"), "'liar' was rebuilt.*an output of shapes"),
        (lambda: Refuses(3, name="liar"), "Layer 'liar' cannot be rebuilt from its get_config"),
        (
            lambda: lambda x: ops.clip(x, np.zeros(8, "float32"), 1.0),
            "cannot be rebuilt from its get_config: Object Clip was created by passing",
        ),
    ],
)
def test_a_layer_that_is_cut_and_whose_get_config_lies_is_refused_in_one_line(layer, message):
    @register(Forgets, Refuses, Bare)
    class Passes(Rule):
        free_weights = True

        def label(self, call, walk):
            return along_channels(call, walk.channels(call.inputs[0], -1))

    model = behind(layer())
    try:
        with pytest.raises(ModelError, match=message) as caught:
            prune(model, half_plan(ChannelGraph(model)))
    finally:
        for kind in (Forgets, Refuses, Bare):
            base._LAYERS.pop(kind)
    assert "\n" not in str(caught.value)


def test_models_without_a_graph_are_refused():
    plan = half_plan(ChannelGraph(NETWORKS["chain"].build()))
    with pytest.raises(ModelError, match="no graph yet"):
        prune(keras.Sequential([kl.Dense(2)]), plan)
    with pytest.raises(ModelError, match="was not built"):
        prune(keras.Model(), plan)


def test_a_layer_at_each_step_and_alone_stays_whole():
    i, j = keras.Input((5, 6)), keras.Input((6,))
    layer = kl.Dense(4, name="layer")
    x = kl.Flatten()(kl.TimeDistributed(layer, name="steps")(i))
    x = kl.Dense(7, name="behind")(kl.Concatenate()([x, layer(j)]))
    model = randomise(keras.Model([i, j], kl.Dense(3)(x)))
    graph = ChannelGraph(model)
    assert list(graph.groups) == ["behind"]
    pruned = prune(model, half_plan(graph))
    x = example(model)
    assert_same(outputs(pruned, x), outputs(silence(model, half_plan(graph)), x))
