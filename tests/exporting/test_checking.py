"""When a file agrees with its model."""

import pytest

from keras_prune.errors import ExportError
from keras_prune.exporting.checking import Agreement, Tolerance


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
