"""Loss, metrics and objective of a network, and what cannot be used."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, DataError, KerasPruneError, ModelError
from keras_prune.training import Objective, Task, TrainingConfig, fit

from .small import (
    CLASSES,
    FORMS,
    STEPS,
    X,
    Y,
    assert_same,
    classifier,
    regression,
    subclassed,
    two_ended,
    weights,
)

ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SHORT = TrainingConfig(epochs=1, learning_rate=0.1, schedule="constant")


def compiled(model, **arguments):
    model.compile(optimizer="sgd", **arguments)
    return model


def by_keras(model, x, y, weight=None):
    """What `model.evaluate` says, accuracies in percent."""
    found = model.evaluate(x, y, 4, sample_weight=weight, verbose=0, return_dict=True)
    return {name: value * (100 if "accuracy" in name else 1) for name, value in found.items()}


@pytest.mark.parametrize(
    ("metrics", "objective"),
    [
        (["mae"], Objective("mae", "min")),
        (["hinge", keras.metrics.MeanSquaredError(), "mae"], Objective("mean_squared_error")),
        (["hinge"], Objective("loss", "min")),
        (None, Objective("loss", "min")),
    ],
)
def test_a_compiled_model_brings_loss_metrics_and_objective(metrics, objective):
    model = compiled(regression(), loss="mse", metrics=metrics)
    task = Task(validation=(X, Y), batch_size=4).bind(model)
    assert task.objective == objective and not task.classes
    assert task.evaluate(model, "validation") == pytest.approx(by_keras(model, X, Y), rel=1e-5)
    assert model.compiled and model.loss == "mse"


def test_what_the_task_says_goes_before_what_the_model_was_compiled_with():
    model = compiled(regression(), loss="mse", metrics=["mae"])
    task = Task(validation=(X, Y), loss="mae", metrics=["mse"], objective=("mse", "max"))
    task = task.bind(model)
    assert task.objective == Objective("mse", "max")
    expected = by_keras(compiled(regression(), loss="mae", metrics=["mse"]), X, Y)
    assert task.evaluate(model, "validation") == pytest.approx(expected, rel=1e-5)
    assert task.value(model) == pytest.approx(expected["mse"], rel=1e-5)


def test_metrics_start_anew_in_every_evaluation():
    model = compiled(classifier(), loss="mse", metrics=[keras.metrics.AUC(name="auc")])
    task = Task(validation=(X, ONE_HOT)).bind(model)
    other = classifier(7)
    first = task.evaluate(model, "validation")
    assert task.evaluate(other, "validation") != first
    assert task.evaluate(model, "validation") == first


@pytest.mark.parametrize("labels", [CLASSES, CLASSES[:, None]], ids=["(n,)", "(n, 1)"])
def test_class_numbers_have_the_cross_entropy_and_accuracy_by_default(labels):
    model = classifier()
    task = Task((X, labels), validation=(X, labels), batch_size=4).bind(model)
    assert task.classes and task.objective == Objective("accuracy", "max")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = by_keras(compiled(classifier(), loss=loss, metrics=["accuracy"]), X, labels)
    assert task.evaluate(model, "validation") == pytest.approx(expected, rel=1e-5)
    each = np.array(task.per_example(model)(labels, model(X)))
    assert each.shape == (10,) and each.mean() == pytest.approx(expected["loss"], rel=1e-5)
    fit(model, task, SHORT, seed=0)
    assert task.evaluate(model, "validation")["loss"] < expected["loss"]


def test_a_bound_task_is_another_and_the_user_may_bind_it_to_a_second_model():
    task = Task(validation=(X, CLASSES))
    assert task.bind(classifier()).classes and not task.is_bound
    assert not task.bind(compiled(classifier(), loss="mse")).classes
    with pytest.raises(ConfigError, match="Bind the task"):
        _ = task.objective


@pytest.mark.parametrize(
    "named", [pytest.param(False, marks=pytest.mark.slow), True], ids=["lists", "dicts"]
)
@pytest.mark.parametrize(
    "form",
    ["tf.data", *(pytest.param(form, marks=pytest.mark.slow) for form in ("arrays", "function"))],
)
def test_several_inputs_and_outputs(named, form):
    model = two_ended(named=named)
    inputs = {"a": X, "b": X[:, :2]} if named else (X, X[:, :2])
    labels = {"size": Y, "kind": CLASSES} if named else (Y, CLASSES)
    losses = {"size": "mse", "kind": "sparse_categorical_crossentropy"}
    metrics = {"size": ["mae"], "kind": ["accuracy"]}
    factors = {"size": 2.0, "kind": 0.5}
    if not named:
        losses, metrics, factors = ([*part.values()] for part in (losses, metrics, factors))
    compiled(model, loss=losses, metrics=metrics, loss_weights=factors)
    data = FORMS[form]((inputs, labels))
    task = Task(data, validation=data, batch_size=4).bind(model)
    found = task.evaluate(model, "validation")
    asked = inputs if named else list(inputs), labels if named else list(labels)
    assert found == pytest.approx(by_keras(model, *asked), rel=1e-5)
    assert task.objective.metric in ("size_mae", "kind_accuracy")
    x, y, weight = task.examples("validation")
    each = np.array(task.per_example(model)(y, model(x)))
    assert weight is None and each.shape == (10,)
    assert each.mean() == pytest.approx(found["loss"], rel=1e-5)
    fit(model, task, replace(SHORT, learning_rate=0.01), seed=0)
    assert task.evaluate(model, "validation")["loss"] < found["loss"]


def test_a_subclassed_model_is_measured_and_trained():
    model = subclassed()
    task = Task((X, Y), validation=(X, Y), loss="mse", metrics=["mae"]).bind(model)
    before = task.evaluate(model, "validation")
    assert before == pytest.approx(
        by_keras(compiled(subclassed(), loss="mse", metrics=["mae"]), X, Y), rel=1e-5
    )
    fit(model, task, SHORT, seed=0)
    assert task.evaluate(model, "validation")["loss"] < before["loss"]
    assert not model.compiled


def test_sample_weights_stay_with_their_examples_and_count():
    weight = np.arange(10, dtype="float32")
    task = Task((X, Y), sample_weight=weight, batch_size=4, loss="mse").bind(regression())
    row = {tuple(x): number for number, x in enumerate(X)}
    for x, _, given in task.batches(seed=0).take(2 * STEPS).as_numpy_iterator():
        assert list(given) == [row[tuple(example)] for example in x]
    model = regression()
    fit(model, Task((X, Y), sample_weight=0 * weight, loss="mse"), SHORT, seed=0)
    assert_same(weights(model), weights(regression()))
    fit(model, Task((X, Y), sample_weight=weight, loss="mse"), SHORT, seed=0)
    assert not np.array_equal(weights(model)[0], weights(regression())[0])


def test_weights_in_the_data_count_in_the_evaluation():
    weight = np.arange(10, dtype="float32")
    model = compiled(regression(), loss="mse", weighted_metrics=["mae"])
    found = Task(validation=(X, Y, weight)).bind(model).evaluate(model, "validation")
    assert found == pytest.approx(by_keras(model, X, Y, weight), rel=1e-5)


@pytest.mark.parametrize(
    "labels", [CLASSES, CLASSES[:, None], ONE_HOT], ids=["(n,)", "(n, 1)", "one-hot"]
)
@pytest.mark.parametrize("weight", [None, np.full(10, 2.0, "float32")])
def test_class_weights_are_those_of_the_labels(labels, weight):
    task = Task((X, labels), sample_weight=weight, class_weight={0: 3.0, 1: 0.5}, batch_size=4)
    for _, y, found in task.batches(seed=0).take(STEPS).as_numpy_iterator():
        number = y.argmax(axis=1) if y.shape[1:] == (3,) else y.reshape(-1)
        expected = np.array([3.0, 0.5, 1.0])[number] * (1.0 if weight is None else 2.0)
        np.testing.assert_array_equal(found, expected)


def test_class_weights_count_in_training():
    model = classifier()
    fit(model, Task((X, CLASSES), class_weight=dict.fromkeys(range(3), 0.0)), SHORT, seed=0)
    assert_same(weights(model), weights(classifier()))


def test_ones_own_fit_trains_in_place_of_keras():
    seen = []

    def train(model, config, callbacks):
        seen.append((config, callbacks))
        compiled(model, loss="mse", metrics=["binary_accuracy"])
        return model.fit(X, Y > 0, epochs=config.epochs, callbacks=callbacks, verbose=0)

    told, called = [], keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append("end"))
    task = Task(validation=(X, Y), loss="mse", fit=train, callbacks=lambda: [called])
    model = regression()
    rows = fit(model, task, SHORT, seed=0, watcher=told.append).rows
    assert seen[0][0] is SHORT and called in seen[0][1] and seen[1] == "end"
    assert [set(row) for row in rows] == [{"epoch", "loss", "binary_accuracy"}]
    assert 0 < rows[0]["binary_accuracy"] <= 100 and told
    assert not np.array_equal(weights(model)[0], weights(regression())[0])


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (lambda model: {"dice": float(model(X[:1])[0, 0])}, "validation"),
        (lambda model, split: {"dice": float(len(split))}, "validation"),
    ],
)
def test_ones_own_evaluate_measures_in_place_of_keras(measure, expected):
    model = regression()
    task = Task((X, Y), evaluate=measure, objective="dice").bind(model)
    value = float(model(X[:1])[0, 0]) if measure.__code__.co_argcount == 1 else len(expected)
    assert task.value(model) == value
    assert task.evaluate(model, "test")["dice"] == (value if value != 10 else 4)
    assert task.has_test


def test_the_test_data_are_not_read_by_binding_or_identity():
    def never():
        raise AssertionError("read")

    task = Task((X, Y), validation=(X, Y), test=never, loss="mse").bind(regression())
    assert set(task.identity()) == {"train", "validation"}
    assert task.has_test


class OwnStep(keras.Model):
    def train_step(self, data):
        return {}


def own_step():
    i = keras.Input((4,))
    return OwnStep(i, keras.layers.Dense(1)(i))


def test_a_train_step_of_its_own_needs_a_fit():
    with pytest.raises(ModelError, match=r"OwnStep has a train_step .* kp.Task\(fit=..., eval"):
        Task((X, Y), loss="mse").bind(own_step())
    assert Task((X, Y), loss="mse", fit=lambda *_: None).bind(own_step()).own_fit


def evaluated(**arguments):
    def act():
        model = arguments.pop("model", regression)()
        data = arguments.pop("data", (X, Y))
        task = Task(validation=data, **({"loss": "mse"} | arguments)).bind(model)
        return task.evaluate(model, "validation")

    return act


def trained(**arguments):
    def act():
        model = arguments.pop("model", regression)()
        config = TrainingConfig(1, 0.1, label_smoothing=arguments.pop("smoothing", 0.0))
        data = arguments.pop("data", (X, Y))
        return fit(model, Task(data, **({"loss": "mse"} | arguments)), config, seed=0)

    return act


NOTHING = FORMS["tf.data"]().filter(lambda x, y: False)


def nothing(labels, outputs):
    """A loss that is no number."""
    return keras.ops.sum(outputs, axis=-1) * np.float32("nan")


NAN = np.where(np.arange(10)[:, None] == 3, np.float32("nan"), Y)
SIX = np.ones((10, 6), "float32")


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (evaluated(loss=None), ConfigError, "was not compiled.*Give kp.Task.loss=.*or compile"),
        (evaluated(objective="mae"), ConfigError, "'mae' is none of .*: loss. Give one of them"),
        (evaluated(data=(X, NAN)), DataError, "validation data hold values that are NaN or infin"),
        (evaluated(loss=nothing), ConfigError, "'loss' is nan on the validation data. Look for"),
        (evaluated(objective="speed"), ConfigError, r"kp.Objective\('speed', 'max'\)"),
        (evaluated(loss="mze"), ConfigError, "do not fit model .*mze"),
        (evaluated(data=(X, SIX), model=classifier), ConfigError, r"outputs \(None, 3\): "),
        (trained(data=(X, SIX), model=classifier), ConfigError, r"outputs \(None, 3\): "),
        (
            evaluated(data=(SIX, Y)),
            DataError,
            r"validation data do not fit .*expected \w+ \(None, 4\). Received: \(None, 6\). Give",
        ),
        (
            evaluated(data=({"a": X, "c": X}, Y), model=lambda: two_ended(named=True)),
            DataError,
            r"expected a \(None, 4\), b \(None, 2\). Received: \(None, 4\), None",
        ),
        (
            trained(data=FORMS["generator"](), train_steps=STEPS + 1),
            DataError,
            "^The train data ended after 3 batches; expected 4. Give fewer train_steps",
        ),
        (
            evaluated(data=FORMS["generator"](), validation_steps=STEPS + 1),
            DataError,
            "^The validation data ended after 3 batches; expected 4. Give fewer validation_steps",
        ),
        (evaluated(data=NOTHING), DataError, "validation data is empty. Give at least one batch"),
        (trained(data=None), DataError, r"no train data. Give kp.Task\(train=...\)"),
        (trained(smoothing=0.1), ConfigError, "label_smoothing belongs to the default loss"),
        (trained(data=(X, NAN)), DataError, "train data hold values that are NaN or infinite"),
        (trained(loss=nothing), ConfigError, "loss is nan in step 1 of epoch 1 .* learning rate"),
        (
            trained(
                model=two_ended,
                data=((X, X[:, :2]), (Y, CLASSES)),
                loss=["mse", "sparse_categorical_crossentropy"],
                class_weight={0: 1.0},
            ),
            ConfigError,
            "class_weight belongs to a model of one output",
        ),
        (evaluated(evaluate=lambda model: 3.0), ConfigError, "figures by name.* Received: 3.0"),
    ],
)
def test_a_mistake_is_one_clear_line(act, kind, message):
    with pytest.raises(KerasPruneError, match=message) as caught:
        act()
    assert type(caught.value) is kind and "\n" not in str(caught.value)


def test_what_is_missing_is_named_when_it_is_asked_for():
    task = Task((X, Y), loss="mse").bind(regression())
    for split in ("validation", "test"):
        with pytest.raises(DataError, match=rf"no {split} data. Give kp.Task\({split}=...\)"):
            task.evaluate(regression(), split)
    assert not task.has_test


def test_a_data_set_brings_its_own_splits(splits):
    task = Task(splits)
    assert (task.name, task.steps) == ("digits", splits.sizes["train"] // 64)
    with pytest.raises(ConfigError, match="brings its own validation and test split"):
        Task(splits, validation=(X, Y))


def test_examples_are_spread_over_the_training_arrays_and_the_first_of_others():
    task = Task((X, Y), validation=FORMS["tf.data"]())
    np.testing.assert_array_equal(task.examples("train", 2)[0], X[[0, 9]])
    np.testing.assert_array_equal(task.examples("validation", 5)[0], X[:5])
    np.testing.assert_array_equal(task.examples("validation")[1], Y)


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            np.where(np.arange(len(X))[:, None] > 1, X, np.float32("inf")),
            CLASSES,
            "NaN or infinite, in an array of shape .*: in 2 examples, the first of them number 0",
        ),
        (X, CLASSES + 7, "Expected labels from 0 to . in the .* data, for the model has"),
    ],
)
def test_data_are_looked_through_where_they_are_read(split, x, y, message):
    model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(int(CLASSES.max()) + 1)])
    good, wrong = (X, CLASSES), (x, y)
    given = (wrong, good) if split == "train" else (good, wrong)
    with pytest.raises(DataError, match=message) as caught:
        task = Task(given[0], validation=given[1]).bind(model)
        fit(model, task, TrainingConfig(epochs=1, learning_rate=0.01), seed=0)
        task.evaluate(model, "validation")
    assert f"{split} data" in str(caught.value) and str(caught.value).endswith(".")


def test_an_accuracy_over_100_percent_is_none():
    class Counts(keras.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(52.0)

    model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(1)])
    task = Task((X, Y), validation=(X, Y), loss="mse", metrics=[Counts(name="accuracy")]).bind(
        model
    )
    with pytest.raises(ConfigError, match="'accuracy' is 5200 % on the validation data"):
        task.evaluate(model, "validation")
