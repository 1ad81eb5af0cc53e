"""Training a classifier in place."""

import gc
import subprocess
import sys

import keras
import numpy as np
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from keras_prune.training import TrainingConfig, evaluate, fit

SHORT = TrainingConfig(epochs=3, learning_rate=0.05)


def weights(model):
    return np.concatenate([value.ravel() for value in model.get_weights()])


def test_learns_and_reports_an_epoch_a_row(model, splits):
    rows = fit(model, splits, SHORT, seed=0, validate=True).rows
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    assert rows[-1]["loss"] < rows[0]["loss"]
    reached = evaluate(model, splits.validation)
    assert reached["accuracy"] == pytest.approx(rows[-1]["val_accuracy"], abs=0.01)
    assert reached["accuracy"] > 85


def test_the_validation_split_is_left_alone_unless_asked_for(model, splits):
    assert set(fit(model, splits, SHORT, seed=0).rows[0]) == {"epoch", "loss", "accuracy"}


@pytest.mark.slow
def test_the_seed_decides(build, splits):
    def trained(seed):
        keras.utils.set_random_seed(9)
        model = build()
        fit(model, splits, TrainingConfig(1, 0.05, steps_per_epoch=3), seed=seed)
        return weights(model)

    first = trained(0)
    np.testing.assert_allclose(first, trained(0), atol=1e-6)
    assert np.abs(first - trained(1)).max() > 1e-3


def test_steps_may_outrun_the_split(model, splits):
    done = []
    config = TrainingConfig(epochs=2, learning_rate=0.01, steps_per_epoch=20)
    count = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: done.append(batch)
    )
    fit(model, splits, config, seed=0, callbacks=[count])
    assert done == [*range(20), *range(20)]


def test_the_watcher_is_told_of_every_epochs_end(model, splits):
    told = []
    fit(model, splits, SHORT, seed=0, watcher=told.append, stage="tune conv")
    steps = splits.sizes["train"] // splits.batch_size
    assert {step.stage for step in told} == {"tune conv"}
    assert {step.total for step in told} == {3 * steps}
    assert {steps, 2 * steps, 3 * steps} <= {step.done for step in told}
    assert [step.done for step in told] == sorted(step.done for step in told)
    assert set(told[-1].metrics) == {"loss", "accuracy"}
    assert 50 < told[-1].metrics["accuracy"] <= 100


@pytest.mark.slow
def test_the_model_is_left_uncompiled_and_its_file_needs_no_package(model, splits, tmp_path):
    config = TrainingConfig(1, 0.05, label_smoothing=0.1, weight_decay=1e-3)
    fit(model, splits, config, seed=0)
    assert not model.compiled
    model.save(tmp_path / "model.keras")
    script = "import keras, sys; keras.models.load_model(sys.argv[1]); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "model.keras"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "keras_prune" not in loaded.stdout.split()


def test_probabilities_train_as_logits_do(build, splits):
    keras.utils.set_random_seed(1)
    logits = build()
    probabilities = build(last="softmax")
    probabilities.set_weights(logits.get_weights())
    config = TrainingConfig(1, 0.05, label_smoothing=0.1)
    by_logits = fit(logits, splits, config, seed=0).rows[0]
    by_probabilities = fit(probabilities, splits, config, seed=0).rows[0]
    assert by_probabilities["loss"] == pytest.approx(by_logits["loss"], rel=1e-3)


def test_an_interrupt_passes_through(model, splits):
    def interrupt(_):
        raise KeyboardInterrupt

    config = TrainingConfig(1, 0.05)
    with pytest.raises(KeyboardInterrupt):
        fit(model, splits, config, seed=0, precision="mixed_bfloat16", watcher=interrupt)
    assert model.get_layer("conv").compute_dtype == "float32"


@pytest.mark.slow
def test_a_training_leaves_no_graph_behind(model, splits):
    def graphs():
        gc.collect()
        return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())

    before = graphs()
    fit(model, splits, TrainingConfig(1, 0.05, steps_per_epoch=2), seed=0)
    assert graphs() == before
