"""Every form that saves work computes what the masked network does."""

import itertools
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.methods.rnp.execution import Execution, Masked, Trajectory
from keras_prune.methods.rnp.inference.branched import Branched
from keras_prune.methods.rnp.inference.bucketed import Bucketed
from keras_prune.methods.rnp.inference.parts import convolved
from keras_prune.methods.rnp.inference.sliced import Sliced
from tests.methods.rnp.inference.nets import chain, decisions_of, forced, pictures, residual

BUILDERS = [*(lambda seed=seed: chain(seed) for seed in range(3)), residual]
Form = Callable[..., Execution]


def every_action(sets: int, steps: int) -> np.ndarray:
    """All combinations of actions, `(sets ** steps, steps)`."""
    return np.array([*itertools.product(range(sets), repeat=steps)])


def assert_same(found: Trajectory, expected: Trajectory, rows: slice = slice(None)) -> None:
    np.testing.assert_allclose(found.outputs, expected.outputs[rows], atol=1e-5)
    for ours, theirs in zip(found.states, expected.states, strict=True):
        np.testing.assert_allclose(ours, theirs[rows], atol=1e-5)


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("form", [Sliced, Branched])
def test_one_image_under_every_action(build, form):
    decisions = decisions_of(build())
    actions = every_action(3, len(decisions.steps))
    images = pictures(len(actions))
    expected = Masked(decisions)(images, forced(actions))
    for row in (slice(n, n + 1) for n in range(len(actions))):
        assert_same(form(decisions)(images[row], forced(actions[row])), expected, row)


@pytest.mark.parametrize("build", BUILDERS)
def test_many_images_of_mixed_actions(build):
    decisions = decisions_of(build())
    actions = every_action(3, len(decisions.steps))
    images = pictures(len(actions))
    expected = Masked(decisions)(images, forced(actions))
    assert_same(Bucketed(decisions)(images, forced(actions)), expected)


def test_the_networks_are_those_that_the_executions_are_for():
    found = [decisions_of(build()) for build in BUILDERS]
    kinds = {type(call.operation).__name__ for d in found for call in d.graph.trace.calls}
    wanted = "Conv2D BatchNormalization Flatten GlobalAveragePooling2D MaxPooling2D Add"
    assert kinds >= set(wanted.split())
    assert [step.name for step in found[-1].steps] == ["inner0", "inner1"]


@pytest.mark.parametrize("form", [Bucketed, Sliced])
def test_a_batch_of_one_action(form):
    decisions = decisions_of(chain(0))
    for action in range(3):
        actions = np.full((4, len(decisions.steps)), action)
        expected = Masked(decisions)(pictures(4), forced(actions))
        assert_same(form(decisions)(pictures(4), forced(actions)), expected)


@pytest.mark.parametrize("batch", [0, 1, 2, 5])
def test_empty_buckets_are_not_computed(batch):
    """oneDNN fails on a convolution of no image, in a compiled function most of all."""
    decisions = decisions_of(chain(0))
    actions = np.full((batch, len(decisions.steps)), 1)
    run = tf.function(lambda images: Bucketed(decisions)(images, forced(actions)).outputs)
    assert run(pictures(batch)).shape == (batch, 5)


def kinds_of_operations(
    function: Callable[[tf.Tensor], tf.Tensor], images: np.ndarray
) -> list[str]:
    graph = tf.function(function).get_concrete_function(tf.constant(images)).graph
    return [op.type for op in graph.get_operations()]


def test_the_sliced_form_has_no_branch_and_computes_no_mask():
    decisions = decisions_of(chain(0))
    actions = np.ones((1, len(decisions.steps)), int)
    kinds = kinds_of_operations(
        lambda images: Sliced(decisions)(images, forced(actions)).outputs, pictures(1)
    )
    assert not {"If", "StatelessIf", "SequenceMask"} & set(kinds)


@pytest.mark.parametrize("form", [Sliced, Bucketed, Branched])
def test_no_convolution_reads_or_makes_more_than_was_decided(form, monkeypatch):
    kernels, maps = [], []

    def watched(layer, features, kernel, bias):
        kernels.append(tuple(kernel.shape[2:]))
        maps.append(features.shape[-1])
        return convolved(layer, features, kernel, bias)

    for home in ("sliced", "parts"):
        monkeypatch.setattr(f"keras_prune.methods.rnp.inference.{home}.convolved", watched)
    form(decisions_of(residual()))(pictures(1), forced(np.array([[0, 1]])))
    assert kernels == [(8, 2), (2, 8), (8, 4), (4, 8)]
    assert maps == [8, 2, 8, 4]


@pytest.mark.parametrize("form", [Sliced, Bucketed])
def test_lower_precision(form):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        decisions = decisions_of(residual())
    finally:
        keras.config.set_dtype_policy("float32")
    actions = np.ones((2, 2), int)
    expected = Masked(decisions)(pictures(2), forced(actions))
    found = form(decisions)(pictures(2), forced(actions))
    np.testing.assert_allclose(found.outputs, expected.outputs, atol=0.05)
