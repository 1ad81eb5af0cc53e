"""Magnitude pruning inside a training."""

import json
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from keras_prune.callbacks import MagnitudePruning
from keras_prune.errors import ConfigError, ModelError
from keras_prune.methods.magnitude.schedules import ConstantSparsity, PolynomialDecay

pytestmark = pytest.mark.tensorflow
layers = keras.layers
X = np.random.default_rng(0).normal(size=(40, 6, 6, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(40, 3)).astype("float32")


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, name="hidden")], name="inner")
    inputs = keras.Input((6, 6, 4))
    x = layers.Conv2D(8, 3, activation="relu", name="conv")(inputs)
    x = inner(layers.GlobalAveragePooling2D()(layers.BatchNormalization(name="norm")(x)))
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


def trained(*callbacks, model=None, optimizer="adam", epochs=2, x=X, **options):
    model = model or network()
    model.compile(optimizer, "mse", **options)
    model.fit(x, Y, batch_size=10, epochs=epochs, verbose=0, callbacks=callbacks)
    return model


def zeros(model: keras.Model, name: str) -> int:
    kernel = next(w for w in model.trainable_variables if w.path.endswith(f"{name}/kernel"))
    return int((kernel.numpy() == 0).sum())


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        keras.optimizers.Adam(0.01, weight_decay=0.1),
        keras.optimizers.RMSprop(0.01, momentum=0.9),
    ],
    ids=lambda optimizer: optimizer.name,
)
@pytest.mark.parametrize("sparsity", [pytest.param(0.37, marks=pytest.mark.slow), 0.9])
def test_every_kernel_ends_at_the_target_to_one_weight(optimizer, sparsity):
    schedule = PolynomialDecay(0.1, sparsity, begin_step=0, end_step=6, frequency=2)
    optimizer = type(optimizer).from_config(optimizer.get_config())
    model = trained(MagnitudePruning(schedule), optimizer=optimizer)
    for name, size in (("conv", 3 * 3 * 4 * 8), ("hidden", 64), ("head", 24)):
        assert abs(zeros(model, name) - sparsity * size) <= 0.5 + 1e-4, name
    assert all(np.all(w != 0) for w in model.get_layer("norm").get_weights()[:1])


def test_weights_are_masked_after_every_batch():
    pruning, seen = MagnitudePruning(ConstantSparsity(0.5, 1, frequency=3)), []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(zeros(self.model, "conv"))

    trained(pruning, Look(), optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    assert seen == [144] * 8
    assert pruning.sparsity == 0.5


def test_masks_are_chosen_in_one_trace_and_keep_their_shapes():
    pruning = MagnitudePruning(PolynomialDecay(0.0, 0.8, 0, 8, frequency=1))
    trained(pruning, epochs=3)
    masks = pruning._scheduled
    assert masks.advance.experimental_get_tracing_count() == 1
    assert masks.masks.apply.experimental_get_tracing_count() == 1


def test_only_named_layers_are_pruned():
    model = trained(MagnitudePruning(ConstantSparsity(0.5, 1, frequency=1), layers=["hidden"]))
    assert (zeros(model, "conv"), zeros(model, "hidden"), zeros(model, "head")) == (0, 32, 0)


def test_a_named_layer_of_ones_own_gives_its_matrices():
    class Own(layers.Layer):
        def build(self, shape):
            self.weird = self.add_weight(shape=(shape[-1], 3), name="weird")
            self.shift = self.add_weight(shape=(3,), name="shift", initializer="ones")

        def call(self, x):
            return x @ self.weird + self.shift

    inputs = keras.Input((6, 6, 4))
    model = keras.Model(inputs, Own(name="own")(layers.GlobalAveragePooling2D()(inputs)))
    trained(MagnitudePruning(ConstantSparsity(0.5, 1), layers=["own"]), model=model)
    assert (model.get_layer("own").weird.numpy() == 0).sum() == 6


def test_two_of_four_input_channels_are_zero_everywhere():
    model = trained(MagnitudePruning(m_by_n=(2, 4)))
    kernel = model.get_layer("conv").kernel.numpy()
    assert ((kernel == 0).sum(axis=2) == 2).all()


def test_blocks_leave_together():
    pruning = MagnitudePruning(
        ConstantSparsity(0.5, 1), layers=["hidden"], block_size=(4, 2), block_pooling="MAX"
    )
    kernel = trained(pruning).get_layer("inner").get_layer("hidden").kernel.numpy()
    assert set((kernel == 0).reshape(2, 4, 4, 2).sum(axis=(1, 3)).ravel()) == {0, 8}


def test_a_second_training_goes_on_with_the_masks():
    pruning = MagnitudePruning(PolynomialDecay(0.0, 0.75, 0, 8, frequency=1))
    model = trained(pruning)
    trained(pruning, model=model, optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    assert zeros(model, "hidden") == 48


def test_a_loop_of_ones_own_takes_four_calls():
    import tensorflow as tf

    model, optimizer = network(), keras.optimizers.SGD(0.1, momentum=0.9)
    pruning = MagnitudePruning(ConstantSparsity(0.5, 1, frequency=2))
    pruning.set_model(model)
    pruning.on_train_begin()
    for step in range(5):
        pruning.on_train_batch_begin(step)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(X, training=True) - Y) ** 2)
        optimizer.apply(
            tape.gradient(loss, [v.value for v in model.trainable_variables]),
            model.trainable_variables,
        )
        pruning.on_train_batch_end(step)
        assert zeros(model, "hidden") == 32
    pruning.on_train_end()


def test_a_schedule_that_never_fires_is_refused_before_the_first_step():
    model = network()
    before = model.get_weights()
    with pytest.raises(ConfigError, match="never fires in the 8 steps of this training: Constant"):
        trained(MagnitudePruning(ConstantSparsity(0.5, begin_step=9)), model=model)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_it_is_refused_at_the_end_where_the_steps_were_not_known():
    import tensorflow as tf

    def examples():
        yield from zip(X, Y, strict=True)

    signature = (tf.TensorSpec((6, 6, 4)), tf.TensorSpec((3,)))
    data = tf.data.Dataset.from_generator(examples, output_signature=signature).batch(10)
    model = network()
    model.compile("adam", "mse")
    with pytest.raises(ConfigError, match="never fires in the "):
        model.fit(
            data, shuffle=False, verbose=0, callbacks=[MagnitudePruning(ConstantSparsity(0.5, 100))]
        )


@pytest.mark.parametrize(("end", "frequency"), [(100, 2), (7, 4)])
def test_a_schedule_that_stops_short_of_its_goal_warns(end, frequency):
    pruning = MagnitudePruning(PolynomialDecay(0.0, 0.9, 0, end, frequency=frequency))
    with pytest.warns(UserWarning, match=r"After 8 steps the sparsity will be 0\.\d+, not 0\.9"):
        trained(pruning)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Expected a schedule, or m_by_n"),
        ({"schedule": ConstantSparsity(0.5, 0), "m_by_n": (2, 4)}, "Expected a schedule, or"),
        ({"m_by_n": (4, 4)}, "m_by_n=(m, n) with 1 <= m < n, for example (2, 4). Received: (4, 4)"),
        ({"m_by_n": (2, 4), "block_size": (2, 2)}, "block_size or m_by_n, not both"),
        ({"m_by_n": (2, 3)}, "multiple of 3. Received: conv/kernel of shape (3, 3, 4, 8)"),
        ({"block_size": (2, 2)}, "Received: conv/kernel of shape (3, 3, 4, 8). Name the layers"),
        ({"block_size": (3, 2), "layers": ["hidden"]}, "hidden/kernel of shape (8, 8)"),
        ({"block_size": (4, 3), "layers": ["head"]}, "two blocks or more and no rest"),
        ({"block_size": (0, 2)}, "each at least 1. Received: (0, 2)"),
        ({"block_pooling": "MIN"}, "block_pooling 'AVG' or 'MAX'. Received: 'MIN'"),
        ({"layers": ["con"]}, "Unknown layer 'con'. Did you mean 'conv'?"),
        ({"layers": ["norm"]}, "Layer 'norm' has no weights to prune"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options, message):
    if "m_by_n" not in options and options:
        options = {"schedule": ConstantSparsity(0.5, 1)} | options
    with pytest.raises(ConfigError) as error:
        trained(MagnitudePruning(**options))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_several_steps_in_one_execution_are_refused():
    with pytest.raises(ConfigError, match="expected steps_per_execution=1. Received: 2"):
        trained(MagnitudePruning(ConstantSparsity(0.5, 1)), steps_per_execution=2)


def test_a_model_without_kernels_is_refused():
    model = keras.Sequential([keras.Input((6, 6, 4)), layers.GlobalAveragePooling2D()])
    pruning = MagnitudePruning(ConstantSparsity(0.5, 1))
    pruning.set_model(model)
    with pytest.raises(ModelError, match="has no kernel to prune"):
        pruning.on_train_begin()


AFTERWARDS = """
import json, os, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
import keras, numpy as np, tensorflow as tf
import keras_prune as kp

def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])

def fit(model, *callbacks):
    model.compile("adam", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 3)), batch_size=2, verbose=0, callbacks=callbacks)

early = kp.callbacks.MagnitudePruning(kp.schedules.ConstantSparsity(0.5, 1))
early.set_model(model())
early.on_train_begin()  # before anything else may have looked at tf.keras
first = model()
fit(first, kp.callbacks.MagnitudePruning(kp.schedules.ConstantSparsity(0.5, 1)))
second = model()
fit(second)
from tensorflow.keras import layers
lite = tf.lite.TFLiteConverter.from_keras_model(first).convert()
print(json.dumps({
    "switch": os.environ.get("TF_USE_LEGACY_KERAS"),
    "tf.keras": tf.keras.__version__ == keras.__version__,
    "layers": layers.Dense is keras.layers.Dense,
    "lite": len(lite) > 500,
    "sparse": float((first.layers[0].kernel.numpy() == 0).mean()),
    "dense": float((second.layers[0].kernel.numpy() == 0).mean()),
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("switch", [None, "0"])
def test_tensorflow_is_left_as_it_was(switch, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    if switch:
        monkeypatch.setenv("TF_USE_LEGACY_KERAS", switch)
    done = subprocess.run(
        [sys.executable, "-c", AFTERWARDS], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "switch": switch, "tf.keras": True, "layers": True, "lite": True, "sparse": 0.5, "dense": 0,
    }  # fmt: skip


def sparsity(model: keras.Model) -> float:
    kernels = [w.numpy() for w in model.weights if w.path.endswith("kernel")]
    return sum((k == 0).sum() for k in kernels) / sum(k.size for k in kernels)


SCHEDULE = PolynomialDecay(0.0, 0.9, begin_step=0, end_step=14, frequency=2)


class FirstWeightsAtTheEnd(keras.callbacks.Callback):
    """What EarlyStopping(restore_best_weights=True) does."""

    def on_epoch_begin(self, epoch, logs=None):
        if not epoch:
            self.kept = self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.kept)


@pytest.mark.parametrize("first", [True, False])
def test_weights_that_another_callback_puts_back_are_masked(first):
    pruning, other = MagnitudePruning(SCHEDULE), FirstWeightsAtTheEnd()
    with pytest.warns(UserWarning, match="pruned weights were put back at the end of the training"):
        model = trained(*((pruning, other) if first else (other, pruning)), epochs=4)
    assert sparsity(model) == pytest.approx(pruning.sparsity) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("scaled", [pytest.param(False, marks=pytest.mark.slow), True])
def test_averages_are_masked(scaled, tmp_path):
    optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    written = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", save_freq="epoch")
    pruning = MagnitudePruning(SCHEDULE)
    model = trained(swap, written, pruning, optimizer=optimizer, epochs=4)
    assert sparsity(model) == pytest.approx(0.9, abs=0.01)
    found = [keras.models.load_model(tmp_path / f"{n}.keras") for n in (1, 2, 3, 4)]
    # After steps 4, 8, 12 and 16, each but the last before the masks of the next epoch are chosen.
    np.testing.assert_allclose(
        [sparsity(each) for each in found], pruning_levels(4, 8, 12, 16), atol=0.01
    )


def pruning_levels(*steps):
    """What the schedule, which fires at even steps up to 14, asks for after these steps."""
    return [0.9 * (1 - (1 - min(step, 14) / 14) ** 3) for step in steps]


def test_a_file_written_before_the_callback_is_told_of_a_batch_is_masked(tmp_path):
    written = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=1)
    trained(written, MagnitudePruning(ConstantSparsity(0.5, begin_step=0, frequency=1)), epochs=1)
    for path in sorted(tmp_path.iterdir()):
        assert sparsity(keras.models.load_model(path)) == pytest.approx(0.5, abs=0.01)


class Dies(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_in_its_schedule(tmp_path):
    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    schedule = PolynomialDecay(0.0, 0.9, begin_step=0, end_step=18, frequency=2)
    with pytest.raises(KeyboardInterrupt):
        trained(backup(), MagnitudePruning(schedule), Dies(), epochs=5)
    pruning, model = MagnitudePruning(schedule), network()
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: seen.append(pruning.sparsity)
    )
    trained(backup(), pruning, watch, model=model, epochs=5)
    assert len(seen) == 2 * 4  # from the fourth epoch on
    assert seen[0] > 0.7
    assert sparsity(model) == pytest.approx(0.9, abs=0.01)


def test_the_place_in_the_schedule_is_that_of_the_run():
    schedule = PolynomialDecay(0.0, 0.9, begin_step=0, end_step=14, frequency=2)
    with pytest.warns(UserWarning, match="After 8 steps the sparsity will be"):
        model = trained(MagnitudePruning(schedule))
    later = MagnitudePruning(schedule)
    before = sparsity(model)
    levels = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: levels.append(later.sparsity)
    )
    model.fit(X, Y, batch_size=10, initial_epoch=2, epochs=4, verbose=0, callbacks=[later, watch])
    assert levels[0] >= before - 0.01
    assert sparsity(model) == pytest.approx(0.9, abs=0.01)


@pytest.mark.slow
def test_a_new_callback_on_a_used_optimizer_begins_at_0():
    model = trained(epochs=5)
    pruning = MagnitudePruning(SCHEDULE)
    model.fit(X, Y, batch_size=10, epochs=4, verbose=0, callbacks=[pruning])
    assert sparsity(model) == pytest.approx(0.9, abs=0.01)


class Stops(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def test_a_training_that_ends_before_the_goal_is_told_of():
    with pytest.warns(UserWarning, match=r"ended after 4 steps at a sparsity of 0\.\d+, not 0\.9"):
        trained(MagnitudePruning(SCHEDULE), Stops(), epochs=4)
    trained(MagnitudePruning(PolynomialDecay(0.0, 0.9, 0, 4, frequency=1)), Stops(), epochs=4)


@pytest.mark.slow
@pytest.mark.parametrize("names", [None, ("conv", "head")])
def test_frozen_layers_are_pruned_like_any_other(names):
    model = network()
    model.get_layer("conv").trainable = False
    trained(MagnitudePruning(SCHEDULE, layers=names), model=model, epochs=4)
    kernel = model.get_layer("conv").kernel.numpy()
    assert (kernel == 0).mean() == pytest.approx(0.9, abs=0.01)


def test_a_callback_that_goes_on_is_told_how_far_the_run_will_get():
    pruning = MagnitudePruning(PolynomialDecay(0.0, 0.9, begin_step=0, end_step=20, frequency=2))
    with pytest.warns(UserWarning, match="After 8 steps"):
        model = trained(pruning)
    with pytest.warns(UserWarning, match="After 16 steps the sparsity will be"):
        model.fit(X, Y, batch_size=10, initial_epoch=2, epochs=4, verbose=0, callbacks=[pruning])


@pytest.mark.slow
def test_averages_of_several_optimizers_are_masked(tmp_path):
    made = [keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9) for _ in range(2)]
    chosen = keras.optimizers.OptimizerMap(made[0])
    chosen[".*head.*"] = made[1]
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    path = tmp_path / "{epoch}.weights.h5"
    written = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    optimizer = keras.optimizers.MultiOptimizer(chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nothing was put back
        model = trained(swap, written, MagnitudePruning(SCHEDULE), optimizer=optimizer, epochs=4)
    levels = []
    for epoch in (1, 2, 3, 4):
        model.load_weights(tmp_path / f"{epoch}.weights.h5")
        levels.append(sparsity(model))
    np.testing.assert_allclose(levels, pruning_levels(4, 8, 12, 16), atol=0.01)
