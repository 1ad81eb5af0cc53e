"""TFMOT leaves no trace in the process, also where nothing has looked at `tf.keras` before."""

import subprocess
import sys

import pytest

CODE = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, tensorflow as tf
from keras_prune.methods.magnitude import tfmot
from keras_prune.methods.magnitude.schedules import ConstantSparsity

now, sparsity = tfmot.native(ConstantSparsity(0.5, begin_step=1))(tf.constant(1))
assert bool(now) and float(sparsity) == 0.5
print(tf.keras.layers.Dense is keras.layers.Dense, os.environ.get("TF_USE_LEGACY_KERAS"))
"""


@pytest.mark.slow
def test_importing_it_does_not_take_tf_keras(tmp_path, monkeypatch):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "True None\n", done.stderr[-2000:]
