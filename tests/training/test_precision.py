"""Training in bfloat16."""

import keras
import numpy as np

from keras_prune.training import TrainingConfig, evaluate, fit
from keras_prune.training.precision import computing_in


def test_every_layer_but_the_last_computes_in_bfloat16(model):
    head = model.get_layer("head")
    with computing_in("mixed_bfloat16", model):
        computing = {layer.name: layer.compute_dtype for layer in [*model.layers, *head.layers]}
        assert computing["conv"] == computing["bn"] == computing[head.layers[0].name] == "bfloat16"
        assert computing["logits"] == "float32"
        assert model(np.zeros((2, 8, 8, 1), "float32")).dtype == "float32"
    assert {layer.compute_dtype for layer in [*model.layers, *head.layers]} == {"float32"}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}


def test_bfloat16_really_computes_coarser(model, splits):
    images, _ = splits.validation_arrays(limit=32)
    exact = model(images).numpy()
    with computing_in("mixed_bfloat16", model):
        coarse = model(images).numpy()
    difference = np.abs(exact - coarse).max()
    assert 1e-5 < difference < 0.1
    np.testing.assert_array_equal(model(images).numpy(), exact)


def test_other_policies_are_left_alone(model):
    model.get_layer("conv").dtype_policy = keras.DTypePolicy("mixed_float16")
    with computing_in("mixed_bfloat16", model):
        assert model.get_layer("conv").compute_dtype == "float16"
    assert model.get_layer("conv").compute_dtype == "float16"


def test_a_model_trained_in_bfloat16_is_saved_in_float32(model, splits, tmp_path):
    config = TrainingConfig(3, 0.05)
    fit(model, splits, config, seed=0, precision="mixed_bfloat16")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert {layer.dtype_policy.name for layer in loaded.layers} == {"float32"}
    assert evaluate(loaded, splits.validation)["accuracy"] > 85
