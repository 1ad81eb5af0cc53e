"""Whatever `model.fit` takes, the batches are the same and can be read from any place."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import DataError
from keras_prune.training import Task
from keras_prune.training.feeds import feed

from .small import FORMS, STEPS, X, Y, batches_of, regression, settings

NAMED = ({"a": X, "b": X[:, :2]}, {"size": Y, "kind": Y})


def taken(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def assert_batches(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        keras.tree.assert_same_structure(ours, theirs)
        keras.tree.map_structure(np.testing.assert_array_equal, ours, theirs)


def fed(form, arrays=(X, Y)):
    steps = STEPS if form == "generator" else None
    return feed(FORMS[form](arrays), "train", batch_size=4, steps=steps)


@pytest.mark.parametrize("arrays", [(X, Y), (X, Y, Y[:, 0]), NAMED], ids=["xy", "weights", "dicts"])
@pytest.mark.parametrize("form", FORMS)
def test_a_pass_gives_the_batches_in_order(form, arrays):
    given = fed(form, arrays)
    assert given.steps == STEPS
    for _ in range(2):
        assert_batches(list(given.once().as_numpy_iterator()), list(batches_of(arrays)))


@pytest.mark.parametrize("form", FORMS)
def test_the_stream_can_be_entered_anywhere(form):
    given, whole = fed(form), taken(fed(form).endless(3, 0), 8)
    for start in (0, 1, 3, 5):
        assert_batches(taken(given.endless(3, start), 8 - start), whole[start:])
    if form != "arrays":
        assert_batches(whole, [*batches_of(), *batches_of(), *batches_of()][:8])


def test_arrays_are_shuffled_anew_in_every_pass_by_the_seed():
    def orders(seed):
        rows = [y[:, 0] for _, y in taken(fed("arrays").endless(seed, 0), 2 * STEPS)]
        return np.concatenate(rows[:STEPS]), np.concatenate(rows[STEPS:])

    first, second = orders(0)
    assert sorted(first) == sorted(second) == sorted(Y[:, 0])
    assert list(first) != list(second) and list(first) != list(orders(1)[0])


def test_a_pydataset_is_told_of_every_passes_end_also_of_skipped_ones():
    class Turning(keras.utils.PyDataset):
        passes = 0

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.full((1, 1), 10 * self.passes + index), np.zeros((1, 1))

        def on_epoch_end(self):
            self.passes += 1

    def numbers(start, count):
        stream = feed(Turning(workers=1), "train", batch_size=1).endless(0, start)
        return [int(x[0, 0]) for x, _ in taken(stream, count)]

    assert numbers(0, 5) == [0, 1, 10, 11, 20]
    assert numbers(3, 2) == [11, 20]


def test_steps_end_an_endless_dataset():
    given = feed(FORMS["tf.data"]().repeat(), "validation", batch_size=4, steps=2)
    assert_batches(list(given.once().as_numpy_iterator()), list(batches_of())[:2])


@pytest.mark.parametrize("form", FORMS)
def test_identities_differ_with_the_data(form):
    assert fed(form).identity() == fed(form).identity() != fed(form, (X[:, :3], Y)).identity()


@pytest.mark.parametrize("form", [*FORMS, "no length"])
def test_every_form_evaluates_alike(form):
    model = regression()
    data = FORMS[form]() if form in FORMS else FORMS["tf.data"]().filter(lambda x, y: True)
    task = Task(validation=data, loss="mse", metrics=["mae"], **settings(form)).bind(model)
    difference = Y - model.predict(X, verbose=0)
    found = task.evaluate(model, "validation")
    assert found["loss"] == pytest.approx(np.square(difference).mean(), rel=1e-5)
    assert found["mae"] == pytest.approx(np.abs(difference).mean(), rel=1e-5)


NOTHING = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4).filter(lambda x, y: False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X, "as model.fit takes it: .* Received: ndarray"),
        ([X, Y], "as model.fit takes it: .* Received: list"),
        ((X, Y[:9]), "as many labels as examples .* lengths 9, 10"),
        ((X[:0], Y[:0]), "at least one. Received: arrays of lengths 0"),
        ((np.array([object()]), Y[:1]), "numbers or text. Received: objects"),
        (FORMS["tf.data"]().repeat(), "no end. Give train_steps"),
        (FORMS["tf.data"]().take(0), "train data is empty"),
        (NOTHING, "train data is empty"),
        (lambda: iter(()), "train data is empty"),
        (tf.data.Dataset.from_tensor_slices(X).batch(4), r"batches \(x, y\) or .* TensorSpec"),
        (lambda: iter([(X, Y, Y, Y)]), r"batches \(x, y\) or .* Received: tuple of 4"),
        (batches_of(), "needs train_steps"),
    ],
)
def test_data_that_cannot_be_used_is_one_clear_line(data, message):
    with pytest.raises(DataError, match=message) as caught:
        given = feed(data, "train", batch_size=4)
        assert given.steps
        given.once()
    assert "\n" not in str(caught.value)


def test_sample_weight_belongs_to_arrays():
    with pytest.raises(DataError, match="sample_weight belongs to train data given as arrays"):
        feed(FORMS["tf.data"](), "train", batch_size=4, sample_weight=Y[:, 0])


@pytest.mark.parametrize("form", ["function", "generator"])
def test_a_pass_that_ends_early_is_an_error(form):
    given = feed(FORMS[form](), "train", batch_size=4, steps=STEPS + 1)
    with pytest.raises(tf.errors.OpError, match="ended after 3 batches; expected 4"):
        taken(given.endless(0, 0), 9)
