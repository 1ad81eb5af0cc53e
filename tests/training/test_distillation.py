"""Learning from a teacher beside the labels."""

import gc
import subprocess
import sys

import keras
import numpy as np
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from keras_prune.errors import ConfigError, ModelError
from keras_prune.training import DistillationConfig, TrainingConfig, fit
from keras_prune.training.distillation import Distilling

SHORT = TrainingConfig(epochs=2, learning_rate=0.05, steps_per_epoch=8)
ONLY_TEACHER = DistillationConfig(temperature=2.0, alpha=1.0)


@pytest.fixture(scope="module")
def teacher(splits):
    from .conftest import small_network

    keras.utils.set_random_seed(5)
    teacher = small_network()
    fit(teacher, splits, TrainingConfig(epochs=3, learning_rate=0.05), seed=0)
    return teacher


def weights(model):
    return np.concatenate([value.ravel() for value in model.get_weights()])


def centred(logits):
    """Logits say the same whatever is added to all classes."""
    return logits - logits.mean(axis=1, keepdims=True)


def rolled(weight):
    return np.roll(weight, 1, axis=-1)


def test_the_loss_is_hintons(build, splits, teacher):
    student, (images, labels) = build(), splits.validation_arrays(20)
    distilling = Distilling(student, teacher, DistillationConfig(temperature=3.0, alpha=0.7))
    distilling.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    found = distilling.compute_loss(images, labels, student(images))

    def probabilities(model, temperature):
        logits = keras.ops.convert_to_numpy(model(images)).astype("float64") / temperature
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    p, q = probabilities(teacher, 3.0), probabilities(student, 3.0)
    divergence = (p * np.log(p / q)).sum(axis=1).mean()
    cross_entropy = -np.log(probabilities(student, 1.0)[np.arange(20), labels]).mean()
    assert float(found) == pytest.approx(0.7 * 9 * divergence + 0.3 * cross_entropy, rel=1e-4)


def test_a_sigmoid_is_taught_as_two_classes(one_sigmoids):
    teacher, student, x = one_sigmoids
    distilling = Distilling(student, teacher, DistillationConfig(temperature=1.0, alpha=1.0))
    distilling.compile(loss="binary_crossentropy")
    p, q = (np.asarray(model(x), "float64") for model in (teacher, student))
    expected = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()
    found = distilling.compute_loss(x, np.zeros((len(x), 1)), student(x))
    assert float(found) == pytest.approx(expected, rel=1e-3) and expected > 1e-3


@pytest.fixture
def one_sigmoids():
    def network(seed):
        keras.utils.set_random_seed(seed)
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])

    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    return network(1), network(2), x


@pytest.mark.slow
def test_a_distilled_training_differs_and_reports_the_same_figures(build, splits, teacher):
    def trained(teacher):
        keras.utils.set_random_seed(1)
        student = build()
        rows = fit(student, splits, SHORT, seed=0, validate=True, teacher=teacher).rows
        return weights(student), rows

    (alone, plain), (taught, distilled) = trained(None), trained(teacher)
    assert np.abs(alone - taught).max() > 1e-3
    assert set(distilled[0]) == set(plain[0])
    assert distilled[-1]["loss"] < distilled[0]["loss"]


def test_a_student_of_the_teacher_alone_approaches_its_logits(build, splits, teacher):
    """The teacher says "4" where the label says "3", so that the labels cannot help."""
    contrary = build()
    contrary.set_weights([*teacher.get_weights()[:-2], *map(rolled, teacher.get_weights()[-2:])])
    images, _ = splits.validation_arrays(100)
    theirs = centred(contrary.predict_on_batch(images))
    student = build()
    before = np.abs(centred(student.predict_on_batch(images)) - theirs).mean()
    config = TrainingConfig(epochs=4, learning_rate=0.05)
    fit(student, splits, config, seed=0, teacher=contrary, distillation=ONLY_TEACHER)
    ours = centred(student.predict_on_batch(images))
    assert np.abs(ours - theirs).mean() < 0.75 * before
    assert np.mean(ours.argmax(axis=1) == theirs.argmax(axis=1)) > 0.8


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_teacher_is_not_changed(build, splits, teacher, precision):
    before = teacher.get_weights()
    trainable = [variable.trainable for variable in teacher.variables]
    rows = fit(build(), splits, SHORT, seed=0, precision=precision, teacher=teacher).rows
    assert np.isfinite(rows[-1]["loss"])
    for old, new in zip(before, teacher.get_weights(), strict=True):  # BatchNorm's statistics, too
        np.testing.assert_array_equal(old, new)
    assert [variable.trainable for variable in teacher.variables] == trainable
    assert teacher.trainable and not teacher.compiled
    assert {layer.compute_dtype for layer in teacher.layers} == {"float32"}


def test_probabilities_teach_and_learn_as_logits_do(build, splits, teacher):
    taught = build(last="softmax")
    teaching = build(last="softmax")
    teaching.set_weights(teacher.get_weights())
    keras.utils.set_random_seed(1)
    student = build()
    taught.set_weights(student.get_weights())
    settings = {"seed": 0, "distillation": ONLY_TEACHER}
    first = fit(student, splits, SHORT, teacher=teacher, **settings).rows
    second = fit(taught, splits, SHORT, teacher=teaching, **settings).rows
    assert second[0]["loss"] == pytest.approx(first[0]["loss"], rel=1e-2)


@pytest.mark.slow
def test_the_student_is_plain(build, splits, teacher, tmp_path):
    student = build()
    fit(student, splits, SHORT, seed=0, teacher=teacher)
    assert not student.compiled
    assert len(student.weights) == len(teacher.weights)
    student.save(tmp_path / "student.keras")
    script = "import keras, sys; keras.models.load_model(sys.argv[1]); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "student.keras"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "keras_prune" not in loaded.stdout.split()


def test_a_sequential_student(splits, teacher):
    student = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    student.add(keras.layers.Dense(10))
    fit(student, splits, SHORT, seed=0, teacher=teacher)


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((8, 8, 1), 4, r"output shape \(10,\). Received: \(4,\)"),
        ((9, 8, 1), 10, r"input shape \(8, 8, 1\). Received: \(9, 8, 1\)"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(model, splits, shape, classes, message):
    other = keras.Sequential([keras.Input(shape), keras.layers.Flatten()])
    other.add(keras.layers.Dense(classes))
    before = weights(model)
    with pytest.raises(ModelError, match=f"Expected a teacher with the student's {message}"):
        fit(model, splits, SHORT, seed=0, teacher=other)
    np.testing.assert_array_equal(weights(model), before)


@pytest.mark.parametrize(
    "values", [{"temperature": 0.0}, {"alpha": -0.001}, {"alpha": 1.001}, {"alpha": float("nan")}]
)
def test_values_out_of_range(values):
    with pytest.raises(ConfigError, match=f"{next(iter(values))} must be"):
        DistillationConfig(**values)


@pytest.mark.slow
def test_a_distilled_training_leaves_no_graph_behind(model, splits, teacher):
    def graphs():
        gc.collect()
        return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())

    before = graphs()
    fit(model, splits, TrainingConfig(1, 0.05, steps_per_epoch=2), seed=0, teacher=teacher)
    assert graphs() == before
