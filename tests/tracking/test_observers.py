"""What observers are told, and that one that fails ends nothing."""

import keras
import numpy as np
import pytest

from keras_prune.reporting import ModelFigures
from keras_prune.tracking import Epoch, Observers, unobserved
from keras_prune.utils.progress import Progress

from .conftest import Told


def train(callbacks, epochs=2):
    """A training whose figures are easy to tell: the loss of epoch n is that of a constant."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", metrics=["binary_accuracy"])
    x = np.ones((2, 1), "float32")
    model.fit(x, x, epochs=epochs, verbose=0, callbacks=callbacks)


def test_epochs_are_counted_before_and_after_pruning_apart(tmp_path):
    told = Told()
    with Observers([told]).run(tmp_path, {}) as tracker:
        tracker.past("train net", [{"epoch": 1, "loss": 3.0}])
        train(tracker.training("tune", pruned=True))
        train(tracker.training("tune 2", pruned=True), epochs=1)
    epochs = [thing for thing in told.told if isinstance(thing, Epoch)]
    assert epochs[0] == Epoch("train net", 1, 1, False, {"loss": 3.0})
    assert [(e.stage, e.number, e.step, e.pruned) for e in epochs[1:]] == [
        ("tune", 1, 1, True),
        ("tune", 2, 2, True),
        ("tune 2", 1, 3, True),
    ]
    assert epochs[1].row == {"loss": 1.0, "binary_accuracy": 0.0}


def test_a_resumed_training_goes_on_counting(tmp_path):
    told = Told()
    tracker = Observers([told])
    (callback,) = tracker.training("train net")
    callback.on_epoch_end(4, {"accuracy": 0.25})
    assert told.told == [Epoch("train net", 5, 5, False, {"accuracy": 25.0})]


def test_steps_are_counted_by_series():
    told = Told()
    tracker = Observers([told])
    for series in ("conv1", "conv1", "conv2"):
        tracker.step(series, {"reward": 0.5})
    assert [thing[:2] for thing in told.told] == [("conv1", 1), ("conv1", 2), ("conv2", 1)]


def test_the_reports_figures_name_their_split(tmp_path):
    told = Told()
    before = ModelFigures(98.0, 0.1, 97.0, 100, 200, 400, 800)
    after = ModelFigures(96.0, 0.2, 95.0, 50, 100, 200, 400)
    Observers([told]).final(before, after)
    _, first, second = told.told[0]
    assert first == {
        "test_accuracy": 98.0, "test_loss": 0.1, "validation_accuracy": 97.0,
        "parameters": 100, "macs": 200, "flops": 400, "bytes": 800,
    }  # fmt: skip
    assert second["test_accuracy"] == 96.0


def test_the_objective_names_the_figures_and_what_was_not_measured_is_left_out():
    told = Told()
    untested = ModelFigures(None, None, 0.25, 1, 2, 3, 4, {"mae": 1.0})
    Observers([told]).final(untested, objective="mae")
    costs = {"parameters": 1, "macs": 2, "flops": 3, "bytes": 4}
    assert told.told == [("final", {"validation_mae": 0.25, **costs}, {})]


def test_progress_goes_to_the_watcher_and_to_all_observers():
    class Progressed(Told):
        def progress(self, progress):
            self._hear(progress)

    seen, good, bad, warnings = [], Progressed(), Progressed(failing=1), []
    observers = Observers([bad, good], watcher=seen.append, warn=warnings.append)
    steps = [Progress("tune", 1, 2), Progress("tune", 2, 2, {"loss": 0.5})]
    for step in steps:
        observers.progress(step)
    assert seen == good.told == steps
    assert len(bad.told) == len(warnings) == 1
    other = []
    assert observers.watched_by(other.append) is observers
    observers.progress(steps[0])
    assert (len(seen), other) == (2, steps[:1])


def test_the_past_of_a_pruned_network_counts_with_its_trainings():
    told = Told()
    tracker = Observers([told])
    tracker.past("train net", [{"epoch": 1, "loss": 3.0}])
    tracker.past("tune", [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}], pruned=True)
    train(tracker.training("tune 2", pruned=True), epochs=1)
    assert [(e.stage, e.number, e.step, e.pruned) for e in told.told] == [
        ("train net", 1, 1, False),
        ("tune", 1, 1, True),
        ("tune", 2, 2, True),
        ("tune 2", 1, 3, True),
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "FINISHED"), (ZeroDivisionError, "FAILED"), (KeyboardInterrupt, "KILLED")],
)
def test_a_run_ends_as_its_block_does(tmp_path, error, status):
    told = Told()

    def run():
        with Observers([told]).run(tmp_path / "name", {"seed": 1}):
            if error:
                raise error

    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    assert told.told == [("start", "name", {"seed": 1}), ("end", status, tmp_path / "name")]


def test_an_observer_that_fails_is_left_out_with_one_warning(tmp_path):
    good, bad, warnings = Told(), Told("MLflow at there", failing=3), []
    with Observers([bad, good], warn=warnings.append).run(tmp_path, {}) as tracker:
        train(tracker.training("train"), epochs=4)
    assert warnings == [
        "MLflow at there failed (Connection refused). The run goes on without it; "
        "its own files are whole."
    ]
    assert len(bad.told) == 3
    assert len(good.told) == 6


def test_without_observers_a_training_is_left_alone():
    assert unobserved.training("train") == []
    unobserved.step("conv", {"reward": 1.0})
