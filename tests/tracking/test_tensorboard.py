"""Event files, read back with TensorFlow's own reader."""

import pytest
import tensorflow as tf

from keras_prune import data, zoo
from keras_prune.errors import ConfigError
from keras_prune.tracking import Observers, TensorBoardLogs
from keras_prune.training import TrainingConfig, fit


def scalars(folder):
    """(tag, step) -> value, of all event files of a folder."""
    found = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_every_training_has_its_folder_with_every_epochs_figures(tmp_path):
    splits = data.load("digits", input_shape=(28, 28, 1))
    config = TrainingConfig(epochs=2, learning_rate=0.01, steps_per_epoch=2)
    with Observers([TensorBoardLogs(tmp_path / "logs")]).run(tmp_path, {}) as tracker:
        recording = tracker.training("fine-tune a/b")
        rows = fit(zoo.lenet5(), splits, config, seed=0, callbacks=recording, validate=True).rows
        tracker.training("fine-tune a/b 2")[0].on_epoch_end(0, {"loss": 1.5})
    train = scalars(tmp_path / "logs" / "fine-tune-a-b" / "train")
    held_out = scalars(tmp_path / "logs" / "fine-tune-a-b" / "validation")
    assert train == {
        (f"epoch_{name}", row["epoch"]): pytest.approx(row[name], rel=1e-6)
        for row in rows
        for name in ("loss", "accuracy")
    }
    assert held_out == {
        (f"epoch_{name}", row["epoch"]): pytest.approx(row[f"val_{name}"], rel=1e-6)
        for row in rows
        for name in ("loss", "accuracy")
    }
    assert scalars(tmp_path / "logs" / "fine-tune-a-b-2" / "train") == {("epoch_loss", 1): 1.5}


def test_steps_go_to_a_folder_of_their_own(tmp_path):
    logs = TensorBoardLogs(tmp_path)
    logs.step("conv1", 3, {"reward": 0.5})
    logs.end("FINISHED", tmp_path)
    assert scalars(tmp_path / "conv1") == {("reward", 3): 0.5}


def test_going_back_to_a_folder_loses_nothing(tmp_path):
    logs = TensorBoardLogs(tmp_path)
    for step, series in enumerate(["a", "b", "a"]):
        logs.step(series, step, {"reward": 0.5})
    logs.end("FINISHED", tmp_path)
    assert scalars(tmp_path / "a") == {("reward", 0): 0.5, ("reward", 2): 0.5}


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="Cannot write TensorBoard's logs to .*file: File exists"):
        TensorBoardLogs(tmp_path / "file")
