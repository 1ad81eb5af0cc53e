"""The rooms that know no backend work on JAX, also where there is no TensorFlow."""

import os
import subprocess
import sys

import pytest

CODE = """
import sys
sys.modules["tensorflow"] = None  # whoever imports it fails; Keras only tries
import keras
import numpy as np
import keras_prune as kp

assert keras.backend.backend() == "jax"
inputs = keras.Input((8, 8, 3))
x = keras.layers.Conv2D(6, 3, name="conv")(inputs)
x = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(x))
model = keras.Model(inputs, keras.layers.Dense(2)(x))
graph = kp.ChannelGraph(model)
plan = kp.PruningPlan.for_graph(graph, {"conv": (0, 2, 5)})
small, twin = kp.prune(model, plan), kp.silence(model, plan)
images = np.ones((2, 8, 8, 3), "float32")
np.testing.assert_allclose(small(images), twin(images), rtol=1e-5)
for name in ("l1", "l2", "bn_scale", "fpgm", "lamp", "random"):
    assert kp.criteria.get(name)(graph)["conv"].shape == (6,), name
for name in ("taylor", "taylor_weight", "activation", "apoz"):
    try:
        kp.criteria.get(name)(graph, (images, np.zeros(2, "int32")))
        raise SystemExit(f"{name} ran")
    except kp.errors.ConfigError as error:
        assert "needs Keras on TensorFlow. Received: Keras on jax" in str(error), error
try:
    kp.callbacks.MagnitudePruning(kp.schedules.ConstantSparsity(0.5, begin_step=0))
    raise SystemExit("magnitude pruning ran")
except kp.errors.ModelError as error:
    assert "Received: Keras on jax. Channel pruning (kp.prune with" in str(error), error
print(graph.summary().groups[0].name, kp.compare(model, small).total["parameters"])
"""


@pytest.mark.slow
def test_on_jax_tensorflow_is_not_needed(tmp_path):
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "conv Change(before=206, after=104)\n"
