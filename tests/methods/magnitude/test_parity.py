"""The same masks as TFMOT's own `prune_low_magnitude` on a tf_keras twin, step by step.

In a process of its own: TFMOT takes hold of `tf.keras` there.
"""

import subprocess
import sys

import pytest

CODE = """
import os, sys, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
import keras, numpy as np
import keras_prune as kp
import tf_keras
from tensorflow_model_optimization.sparsity import keras as tfmot

kinds = {
    "constant": (("ConstantSparsity", dict(target_sparsity=0.6, begin_step=1, frequency=1)), {}),
    "polynomial": (("PolynomialDecay", dict(initial_sparsity=0.2, final_sparsity=0.8, begin_step=1,
                    end_step=9, frequency=2)), {}),
    "block": (("PolynomialDecay", dict(initial_sparsity=0.2, final_sparsity=0.8, begin_step=1,
               end_step=9, frequency=2)), dict(block_size=(2, 4))),
    "block_max": (("ConstantSparsity", dict(target_sparsity=0.5, begin_step=0, frequency=2)),
                  dict(block_size=(4, 2), block_pooling="MAX")),
    "m_by_n": (None, dict(m_by_n=(2, 4))),
}
def network(k, conv):
    layers = [k.layers.Conv2D(8, 3, activation="relu", name="conv")] if conv else []
    return k.Sequential([k.Input((6, 6, 1)), *layers, k.layers.Flatten(),
                         k.layers.Dense(16, activation="relu", name="fc1"),
                         k.layers.Dense(8, name="fc2")])

rng = np.random.default_rng(0)
x = rng.normal(size=(60, 6, 6, 1)).astype("float32")
y = rng.normal(size=(60, 8)).astype("float32")
for case, (schedule, options) in kinds.items():
    conv = case in ("constant", "polynomial")
    ours, theirs = network(keras, conv), network(tf_keras, conv)
    weights = [rng.normal(scale=0.3, size=w.shape).astype("float32") for w in ours.weights]
    ours.set_weights(weights); theirs.set_weights(weights)
    fit = dict(batch_size=10, epochs=2, shuffle=False, verbose=0)

    wanted = tfmot.ConstantSparsity(0.5, 0)  # which m-by-n does not look at
    if schedule:
        wanted = getattr(tfmot, schedule[0])(**schedule[1])
    names = {"block_size": "block_size", "block_pooling": "block_pooling_type",
             "m_by_n": "sparsity_m_by_n"}
    wrapped = tfmot.prune_low_magnitude(
        theirs, wanted, **{names[key]: value for key, value in options.items()})
    wrapped.compile(tf_keras.optimizers.SGD(0.2, momentum=0.9), "mse")
    their_masks, our_masks = [], []

    class Theirs(tf_keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            their_masks.append([m.numpy() for layer in self.model.layers
                                for _, m, _ in getattr(layer, "pruning_vars", ())])

    wrapped.fit(x, y, callbacks=[tfmot.UpdatePruningStep(), Theirs()], **fit)

    pruning = kp.callbacks.MagnitudePruning(
        getattr(kp.schedules, schedule[0])(**schedule[1]) if schedule else None, **options)

    class Ours(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            our_masks.append([m.numpy() for m in pruning._masks.masks.variables])

    ours.compile(keras.optimizers.SGD(0.2, momentum=0.9), "mse")
    ours.fit(x, y, callbacks=[pruning, Ours()], **fit)

    assert len(our_masks) == len(their_masks) == 12
    for step, (mine, other) in enumerate(zip(our_masks, their_masks), start=1):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"step {step}")
    pairs = zip(our_masks, our_masks[1:])
    changes = sum(any((a != b).any() for a, b in zip(*pair)) for pair in pairs)
    final = tfmot.strip_pruning(wrapped)
    for a, b in zip(ours.get_weights(), final.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    print(case, changes)
"""


CASES = {"constant": 2, "polynomial": 2, "block": 2, "block_max": 1, "m_by_n": 0}


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    """Case -> how often its masks changed; a case whose masks differ fails."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path_factory.mktemp("parity"),
        capture_output=True,
        text=True,
    )
    found = {name: int(count) for name, count in map(str.split, done.stdout.splitlines())}
    return found, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize(("case", "at_least"), CASES.items())
def test_the_masks_are_those_of_tfmot_at_every_step(case, at_least, changes):
    found, errors = changes
    assert case in found, errors
    assert found[case] >= at_least
