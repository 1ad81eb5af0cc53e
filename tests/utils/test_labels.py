"""Labels as they are compared with outputs."""

import numpy as np
import pytest

from keras_prune.errors import DataError
from keras_prune.utils.labels import chosen, class_numbers, right_answers

NUMBERS = np.array([0, 2, 1, 2])


@pytest.mark.parametrize(
    "labels",
    [
        NUMBERS,
        NUMBERS[:, None],
        NUMBERS.astype("float32"),
        NUMBERS.astype("uint8"),
        np.eye(3)[NUMBERS],
    ],
)
def test_what_keras_accepts_is_accepted(labels):
    np.testing.assert_array_equal(class_numbers(labels, 3), NUMBERS)


def test_a_column_of_two_is_no_row_of_one():
    np.testing.assert_array_equal(class_numbers(np.array([[0], [1]]), 2), [0, 1])
    np.testing.assert_array_equal(class_numbers(np.array([[0], [1]]), 1), [0, 1])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (NUMBERS + 1, "from 0 to 2, for the model has 3 outputs. Received: labels from 1 to 3"),
        (NUMBERS - 1, "from -1 to 1"),
        (NUMBERS + 0.5, "from 0.5 to 2.5"),
        (np.zeros((4, 5)), r"labels of shape \(4, 5\)"),
        (np.zeros((4, 3)), r"labels of shape \(4, 3\)"),  # no row has a 1
        (np.zeros((4, 2, 2)), r"labels of shape \(4, 2, 2\)"),
    ],
)
def test_the_rest_is_one_line(labels, message):
    with pytest.raises(DataError, match=message):
        class_numbers(labels, 3)


def test_one_output_is_compared_with_a_threshold():
    assert chosen(np.array([[0.2], [0.7]])).tolist() == [0, 1]
    assert chosen(np.array([[-0.2], [3.0], [0.4]])).tolist() == [0, 1, 1]
    assert chosen(np.array([[0.2, 0.1], [0.7, 0.9]])).tolist() == [0, 1]


def test_zeros_and_ones_for_each_output_are_compared_one_by_one():
    outputs, labels = np.array([[0.2, 0.9], [0.7, 0.8]]), np.array([[1, 1], [1, 1]])
    assert right_answers(outputs, labels).tolist() == [[False, True], [True, True]]
    assert right_answers(outputs * 4 - 2, labels).tolist() == [[False, True], [True, True]]
    assert right_answers(outputs, [[0, 1], [1, 0]]).tolist() == [True, False]  # classes
    assert right_answers(outputs[:, :1], [[0], [0]]).tolist() == [True, False]
