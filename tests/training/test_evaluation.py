"""Accuracy and loss."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.runtimes.predictors import Predictor
from keras_prune.training import evaluate, evaluate_predictor


def fixed(logits):
    """A model that answers the same logits to everything."""
    image = keras.Input((2,))
    dense = keras.layers.Dense(len(logits), bias_initializer=keras.initializers.Constant(0))
    model = keras.Model(image, dense(image))
    dense.set_weights([np.zeros((2, len(logits))), np.array(logits)])
    return model


def test_accuracy_in_percent_and_loss_in_nats():
    model = fixed([np.log(1.0), np.log(3.0)])
    found = evaluate(model, (np.zeros((300, 2), "float32"), np.array([1, 1, 0] * 100)))
    assert found["accuracy"] == pytest.approx(200 / 3, rel=1e-5)
    assert found["loss"] == pytest.approx(-(2 * np.log(0.75) + np.log(0.25)) / 3, rel=1e-5)


def test_a_dataset_and_its_arrays_agree(model, splits):
    by_dataset = evaluate(model, splits.validation)
    by_arrays = evaluate(model, splits.validation_arrays())
    assert by_dataset == pytest.approx(by_arrays, rel=1e-5)


@pytest.mark.parametrize("form", ["activation", "layer", "nested", "sequential"])
def test_probabilities_are_recognised(form):
    logits = fixed([0.0, 1.0])
    images, labels = np.zeros((4, 2), "float32"), np.array([1, 1, 0, 1])
    expected = evaluate(logits, (images, labels))
    if form == "activation":
        softened = keras.layers.Activation("softmax")(logits.output)
        model = keras.Model(logits.input, softened)
    elif form == "sequential":
        model = keras.Sequential([keras.Input((2,)), *logits.layers[1:], keras.layers.Softmax()])
    else:
        model = keras.Model(logits.input, keras.layers.Softmax()(logits.output))
    if form == "nested":
        outside = keras.Input((2,))
        model = keras.Model(outside, model(outside))
    assert evaluate(model, (images, labels)) == pytest.approx(expected, rel=1e-5)


def test_a_compiled_model_stays_as_it_was(model, splits):
    model.compile(optimizer="sgd", loss="mse")
    evaluate(model, splits.validation)
    assert model.loss == "mse"


def test_a_saved_classifier_is_measured_alike(model, splits):
    def probabilities(images):
        return keras.ops.convert_to_numpy(keras.ops.softmax(model(images)))

    predictor = Predictor(model.input_shape[1:], model.output_shape[-1], probabilities)
    found = evaluate_predictor(predictor, splits.validation)
    assert found.examples == splits.sizes["validation"]
    expected = evaluate(model, splits.validation)
    assert {"accuracy": found.accuracy, "loss": found.loss} == pytest.approx(expected, rel=1e-4)


def test_a_loss_is_not_capped():
    """Of logits this far apart the probability of the true class is no number any more."""
    far = fixed([0.0, 20_000.0])
    predictor = Predictor((2,), 2, lambda x: keras.ops.convert_to_numpy(far(x)))
    zeros = tf.data.Dataset.from_tensors((np.zeros((4, 2), "float32"), np.array([1, 1, 0, 1])))
    assert evaluate_predictor(predictor, zeros).loss == pytest.approx(5000)
    assert evaluate(far, (np.zeros((4, 2), "float32"), np.array([1, 1, 0, 1])))["loss"] == 5000
