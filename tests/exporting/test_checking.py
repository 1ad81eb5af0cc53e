"""When a file agrees with its model."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ExportError
from keras_prune.exporting.checking import Agreement, Tolerance, agreement


def found(error=0.0, largest=1000.0, top1=None):
    return Agreement(error, largest, top1, None, None)


def refused(tolerance, agreement):
    try:
        tolerance.check("tflite", agreement)
    except ExportError:
        return True
    return False


@pytest.mark.parametrize(("error", "wrong"), [(0.0, False), (1.0, False), (1.5, True)])
def test_the_error_is_relative_to_the_largest_output(error, wrong):
    assert refused(Tolerance(1e-3), found(error)) == wrong


@pytest.mark.parametrize(("top1", "wrong"), [(100.0, False), (90.0, False), (89.9, True)])
def test_classes_count_instead_of_the_error(top1, wrong):
    assert refused(Tolerance(1e-3, top1=90), found(500.0, top1=top1)) == wrong


def test_without_classes_the_error_counts():
    assert refused(Tolerance(1e-3, top1=90), found(500.0))


@pytest.mark.parametrize("error", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused_whatever_the_tolerance(error):
    assert refused(Tolerance(1e9, top1=0), found(error, top1=100.0))


@pytest.mark.parametrize(("decided", "wrong"), [(100.0, False), (99.0, False), (98.9, True)])
def test_decisions_count_beside_the_error(decided, wrong):
    agreed = Agreement(0.0, 1000.0, 100.0, None, None, decided)
    assert refused(Tolerance(1e-3), agreed) == wrong


class Deciding:
    """A file that gives scores and decisions; in the second example it decides otherwise."""

    kind = "tflite"

    def __call__(self, arrays):
        other = np.arange(len(arrays[0])) == 1
        return [arrays[0] + other[:, None], np.where(other, 7, 0).astype("int32")]


def deciding_model():
    inputs = keras.Input((3,))
    decisions = keras.ops.cast(keras.ops.zeros_like(inputs[:, 0]), "int32")
    return keras.Model(inputs, [inputs, decisions])


def test_the_error_is_of_examples_with_the_same_decisions():
    batch = np.eye(3, dtype="float32")
    found = agreement(Deciding(), deciding_model(), [batch], np.array([0, 1, 2]))
    assert found.decided == pytest.approx(200 / 3)
    assert (found.max_abs_error, found.largest, found.model_accuracy) == (0, 1, 100)


def test_whole_numbers_alone_are_outputs_like_any_other():
    inputs = keras.Input((3,), dtype="int32")
    found = agreement(
        lambda arrays: [arrays[0] + 2], keras.Model(inputs, inputs + 0), [np.eye(3, dtype="int32")]
    )
    assert (found.max_abs_error, found.decided) == (2, 100)
