"""One seed, one result to the bit, on several threads. Each in a process of its own, for there is
no way back in one."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf

from keras_prune.errors import ResultWarning
from keras_prune.reporting import RunDirectory
from keras_prune.training import CommonConfig, TrainingConfig, TrainRecipe, fix_order, train
from keras_prune.utils.config import load, read_toml

RUN = """
import hashlib
import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(2)

import keras
import keras_prune as kp

kp.training.fix_order()
keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
images = random.normal(size=(96, 12, 12, 3)).astype("float32")
labels = random.integers(0, 3, 96).astype("int32")
x = image = keras.Input((12, 12, 3))
for number, filters in enumerate((8, 12)):
    x = keras.layers.Conv2D(filters, 3, padding="same", name=f"conv{number}")(x)
    x = keras.layers.ReLU(6)(keras.layers.BatchNormalization()(x))
    x = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
x = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(x))
model = keras.Model(image, keras.layers.Dense(3)(x))
task = kp.Task((images, labels), validation=(images, labels), batch_size=16)
training = kp.training.TrainingConfig(epochs=1, learning_rate=0.05)
kp.training.fit(model, task, training, seed=1, deterministic=True)
method = kp.methods.Ranking(macs=0.5, steps=2, calibration_images=32, recovery=training)
result = method.run(model, task, seed=1, deterministic=True)

from tensorflow.python.framework import config  # it says what no public name does

assert config.is_op_determinism_enabled()
assert tf.config.threading.get_inter_op_parallelism_threads() == 1
told = "".join(f"{name}{kept}" for name, kept in sorted(result.plan.kept.items()))
values = b"".join(variable.numpy().tobytes() for variable in result.model.variables)
print(hashlib.sha256(told.encode() + values).hexdigest())
"""


GRADIENTS = """
import keras
import keras_prune as kp
import tensorflow as tf

kp.training.fix_order()
keras.utils.set_random_seed(0)
model = kp.zoo.mobilenet_v2_cifar()
images = keras.random.normal((128, 32, 32, 3), seed=0)


@tf.function
def gradients():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(images, training=True) ** 2)
    return tape.gradient(loss, model.trainable_variables)


first = gradients()
for _ in range(4):
    for one, other in zip(first, gradients(), strict=True):
        assert (one.numpy() == other.numpy()).all()
"""


def said_by(code: str) -> str:
    """What a process prints last."""
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, env=quiet
    )
    return done.stdout.decode().strip().rpartition("\n")[2]


@pytest.mark.slow
def test_two_runs_on_two_threads_are_one_to_the_bit():
    found = said_by(RUN)
    assert len(found) == 64
    assert said_by(RUN) == found


@pytest.mark.slow
def test_gradients_that_differ_where_several_operations_run_at_a_time():
    said_by(GRADIENTS)


def test_what_comes_too_late_is_said(monkeypatch):
    """In a process that runs already, and whose rest is spared."""
    tf.config.list_logical_devices()
    monkeypatch.setattr("tensorflow.config.experimental.enable_op_determinism", lambda: None)
    with pytest.warns(ResultWarning, match="runs already.*kp.training.fix_order"):
        fix_order()
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "1")
    fix_order()


def test_a_training_keeps_it_and_its_configuration_says_so(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr("keras_prune.training.trainer.fix_order", lambda: kept.append(True))
    common = CommonConfig(model="lenet300_100", dataset="digits", deterministic=True)
    short = TrainingConfig(epochs=1, learning_rate=0.01, steps_per_epoch=1)
    run = RunDirectory.create(tmp_path)
    train(TrainRecipe(common, short), run)
    assert kept == [True]
    assert load(TrainRecipe, read_toml(run / "config.toml")).common.deterministic
    assert not CommonConfig().deterministic
