"""The loop trains as `model.fit` does, and a killed training ends as an unbroken one."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, ResultWarning
from keras_prune.training import Task, TrainingConfig, fit
from keras_prune.training.checkpoint import Checkpoint
from keras_prune.training.loop import run_epochs
from keras_prune.training.optimizer import optimizer

from .small import STEPS, X, Y, assert_same, regression, weights

SGD = TrainingConfig(epochs=2, learning_rate=0.05)
ADAMW = TrainingConfig(2, 0.01, schedule="cosine", optimizer="adamw", weight_decay=0.1)
CONFIGS = {"sgd": SGD, "adamw": ADAMW}
QUIET = {"verbose": 0, "shuffle": False}


class Killed(Exception):  # noqa: N818
    """Stands for the end of the process."""


class Kill(keras.callbacks.Callback):
    """Counts batches, and ends the training before one more than `batches`."""

    def __init__(self, batches=None):
        super().__init__()
        self.begun, self._batches = [], batches

    def on_train_batch_begin(self, batch, logs=None):
        if len(self.begun) == self._batches:
            raise Killed
        self.begun.append(batch)


def train(config, folder=None, kill=None, seed=1, identity="a", callbacks=(), past=None):
    """Weights and rows of a training with Dropout, whose model starts from `seed`."""
    model = regression(seed, dropout=0.5)
    task = Task((X, Y), validation=(X, Y), loss="mse", metrics=["mae"], batch_size=4)
    checkpoint = Checkpoint(folder, identity, 0.0) if folder else None
    told = [kill or Kill(), *callbacks]
    if past is not None:
        told.append(
            keras.callbacks.LambdaCallback(
                on_train_begin=lambda logs: past.extend(checkpoint.rows())
            )
        )
    rows = fit(model, task, config, seed=3, callbacks=told, validate=True, checkpoint=checkpoint)
    return weights(model), rows.rows


@pytest.fixture(scope="module")
def unbroken():
    return {name: train(config) for name, config in CONFIGS.items()}


def assert_equal(found, expected):
    assert_same(found[0], expected[0])
    assert found[1] == expected[1]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_loop_is_that_of_keras(name, unbroken):
    model = regression(1, dropout=0.5)
    keras.utils.set_random_seed(3)
    task = Task((X, Y), batch_size=4)
    made = optimizer(CONFIGS[name], 2 * STEPS, model)
    model.compile(optimizer=made, loss="mse", metrics=["mae"])
    held_out = Task(validation=(X, Y), batch_size=4).split("validation")
    history = model.fit(
        task.batches(3), epochs=2, steps_per_epoch=STEPS, validation_data=held_out, **QUIET
    )
    rows = [{name: values[n] for name, values in history.history.items()} for n in range(2)]
    assert_same(weights(model), unbroken[name][0])
    assert [{**row, "epoch": n + 1} for n, row in enumerate(rows)] == list(unbroken[name][1])


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "sgd" else pytest.mark.slow) for name in CONFIGS],
)
def test_a_training_killed_at_every_batch_ends_as_an_unbroken_one(name, unbroken, tmp_path):
    for attempt in range(2 * STEPS - 1):
        kill = Kill(1)
        with pytest.raises(Killed):  # each attempt starts from other weights
            train(CONFIGS[name], tmp_path, kill, seed=1 + attempt)
        assert kill.begun == [attempt % STEPS]
    assert_equal(train(CONFIGS[name], tmp_path, seed=99), unbroken[name])


def test_a_finished_training_is_not_run_again(unbroken, tmp_path):
    train(SGD, tmp_path)
    again = Kill()
    assert_equal(train(SGD, tmp_path, again, seed=99), unbroken["sgd"])
    assert again.begun == []


def test_what_another_training_left_is_ignored(unbroken, tmp_path):
    with pytest.raises(Killed):
        train(ADAMW, tmp_path, Kill(4), identity="other")
    kill = Kill()
    assert_equal(train(SGD, tmp_path, kill), unbroken["sgd"])
    assert len(kill.begun) == 2 * STEPS


@pytest.mark.slow
def test_a_state_of_other_variables_is_told_and_ignored(unbroken, tmp_path):
    with pytest.raises(Killed):
        train(ADAMW, tmp_path, Kill(4))
    past = []
    with pytest.warns(ResultWarning, match="is not used: it is of another training") as told:
        found = train(SGD, tmp_path, past=past)
    assert_equal(found, unbroken["sgd"])
    assert sum(each.category is ResultWarning for each in told) == 1
    assert past == []  # nobody is told of its epochs


def test_rows_of_an_earlier_attempt_are_told(tmp_path):
    with pytest.raises(Killed):
        train(SGD, tmp_path, Kill(4))
    past = []
    train(SGD, tmp_path, past=past)
    assert [row["epoch"] for row in past] == [1]


def test_a_damaged_state_leaves_the_one_before(unbroken, tmp_path):
    with pytest.raises(Killed):
        train(SGD, tmp_path, Kill(4))
    newest = max(tmp_path.iterdir()) / "variables.npz"
    newest.write_bytes(newest.read_bytes()[:-20])
    kill = Kill()
    assert_equal(train(SGD, tmp_path, kill, seed=99), unbroken["sgd"])
    assert kill.begun == [0, 1, 2]  # the second epoch, of whose first batch the state is lost


def test_a_callback_may_stop_a_training_for_good(tmp_path):
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e6)
    config = TrainingConfig(5, 0.05)
    ended, rows = train(config, tmp_path, callbacks=[stop])
    assert [row["epoch"] for row in rows] == [1, 2]
    again = Kill()
    assert_equal(train(config, tmp_path, again, seed=99), (ended, rows))
    assert again.begun == []


def test_a_callback_may_stop_in_the_middle_of_an_epoch():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    kill = Kill()
    _, rows = train(SGD, kill=kill, callbacks=[Stop()])
    assert kill.begun == [0, 1] and len(rows) == 1


def test_callbacks_are_told_what_fit_tells_them(tmp_path):
    def told():
        calls = []
        names = ("train_begin", "epoch_begin", "train_batch_begin", "train_batch_end", "epoch_end")
        made = keras.callbacks.Callback()
        for name in (*names, "train_end"):
            setattr(
                made,
                f"on_{name}",
                lambda *args, name=name, logs=None: calls.append(
                    (name, *[a for a in args if isinstance(a, int)])
                ),
            )
        return calls, made

    ours, first = told()
    train(SGD, callbacks=[first])
    theirs, second = told()
    model = regression()
    model.compile(loss="mse")
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[second])
    assert ours == theirs


def test_a_loss_that_is_no_number_ends_the_training():
    with pytest.raises(
        ConfigError,
        match=r"The loss is inf in step 2 of epoch 1 of the training. The network has its weights "
        r"of its beginning again. Lower the learning rate \(1e\+30 there\)",
    ):
        train(TrainingConfig(2, 1e30, schedule="constant"))


class Spoil(keras.callbacks.Callback):
    """Makes a weight NaN before a batch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self._at, self.good, self._epoch = (epoch, batch), [], 0

    def on_epoch_end(self, epoch, logs=None):
        self.good, self._epoch = weights(self.model), epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == self._at:
            variable = self.model.trainable_variables[-1]  # behind every relu
            variable.assign(np.full(variable.shape, np.nan))


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (0, "The loss is nan in step 2 of epoch 2 of the training"),
        (STEPS - 1, "/bias holds NaN after epoch 2 of the training"),
    ],
)
def test_the_last_good_weights_are_there_again(batch, message, tmp_path):
    model, spoil = regression(1), Spoil(1, batch)
    task = Task((X, Y), validation=(X, Y), loss="mse", batch_size=4)
    config = TrainingConfig(3, 0.05)
    with pytest.raises(ConfigError, match=rf"{message}.* weights of the end of epoch 1 again"):
        fit(model, task, config, seed=3, callbacks=[spoil])
    assert_same(weights(model), spoil.good)


def test_a_state_that_holds_nan_is_not_saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", "a", 0.0)
    task = Task((X, Y), loss="mse", batch_size=4)
    with pytest.raises(ConfigError, match="in step 3 of epoch 1"):
        fit(
            regression(1), task, SGD, seed=3, callbacks=[Spoil(0, 1)], checkpoint=checkpoint
        )  # the callback is told before a state would be saved
    position, values = Checkpoint(tmp_path / "state", "a", 0.0).load()
    assert position.step == 1 and all(np.isfinite(value).all() for value in values)


def test_a_checkpoint_is_due_only_after_its_interval(tmp_path):
    model = regression()
    model.compile(loss="mse")
    task = Task((X, Y), batch_size=4)
    checkpoint = Checkpoint(tmp_path / "state", "a", 3600.0)
    run_epochs(
        model, lambda start: task.batches(0, start), epochs=1, steps=2, checkpoint=checkpoint
    )
    assert not (tmp_path / "state").exists() and checkpoint.load() is None


def test_the_environment_sets_the_interval(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "often")
    with pytest.raises(ConfigError, match="SECONDS to be a number. Received: 'often'"):
        Checkpoint(tmp_path, "a")


def test_the_rows_are_finite_and_hold_the_validation(unbroken):
    _, rows = unbroken["sgd"]
    assert [set(row) for row in rows] == [{"epoch", "loss", "mae", "val_loss", "val_mae"}] * 2
    assert all(np.isfinite(list(row.values())).all() for row in rows)
