"""Which way is better, and by how much."""

import keras
import pytest

from keras_prune.errors import ConfigError
from keras_prune.training import Objective
from keras_prune.training.objective import as_objective, tells_direction


@pytest.mark.parametrize(
    ("metrics", "direction"),
    [
        (["accuracy", "acc", "kind_accuracy", "sparse_top_k_categorical_accuracy"], "max"),
        (["AUC", "auc_1", "precision_2", "MeanIoU", "F1Score", "dice", "R2Score"], "max"),
        (["loss", "size_loss", "mae", "MAE", "RootMeanSquaredError", "kl_divergence"], "min"),
        (["mean_absolute_error", "binary_crossentropy", "mean_squared_error_3"], "min"),
    ],
)
def test_names_tell_the_direction(metrics, direction):
    assert {metric: Objective(metric).direction for metric in metrics} == dict.fromkeys(
        metrics, direction
    )


@pytest.mark.parametrize(
    ("kind", "arguments", "direction"),
    [
        (keras.metrics.AUC, (), "max"),
        (keras.metrics.MeanIoU, (2,), "max"),
        (keras.metrics.F1Score, (), "max"),
        (keras.metrics.Recall, (), "max"),
        (keras.metrics.MeanAbsoluteError, (), "min"),
        (keras.metrics.RootMeanSquaredError, (), "min"),
        (keras.metrics.SparseCategoricalAccuracy, (), "max"),
    ],
)
def test_so_do_the_names_that_keras_gives(kind, arguments, direction):
    assert {Objective(kind(*arguments).name).direction for _ in range(3)} == {direction}


@pytest.mark.parametrize("metric", ["speed", "true_positives", "hinge", "macc"])
def test_other_names_tell_nothing(metric):
    assert not tells_direction(metric)
    with pytest.raises(ConfigError, match=f"direction of objective '{metric}' .* kp.Objective"):
        Objective(metric)


def test_gain_and_drop_follow_the_direction():
    more, less = Objective("accuracy"), Objective("loss")
    assert (more.gain(2.0), less.gain(2.0)) == (2.0, -2.0)
    assert (more.drop(90.0, 89.0), less.drop(0.5, 0.75)) == (1.0, 0.25)
    assert (more.unit, more.points, less.unit, less.points) == ("%", "points", "", "units")
    assert (Objective("val_accuracy").title, less.title) == ("val accuracy (%)", "loss")


@pytest.mark.parametrize("given", ["mae", ("mae", "min"), ["mae", "min"], Objective("mae")])
def test_an_objective_is_given_in_several_ways(given):
    assert as_objective(given) == Objective("mae", "min")


@pytest.mark.parametrize("given", [3, ("mae",), ("mae", "down"), "", ("", "min"), None])
def test_what_is_no_objective_is_refused(given):
    with pytest.raises(ConfigError, match="Expected"):
        as_objective(given)
