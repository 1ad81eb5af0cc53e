"""A `.keras` file, a SavedModel and a TFLite file answer alike."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune import data
from keras_prune.errors import ModelError, ResultWarning
from keras_prune.exporting import export
from keras_prune.runtimes.base import attributed
from keras_prune.runtimes.predictors import Predictor, _in_batches_of, open_predictor
from keras_prune.training import evaluate, evaluate_predictor
from keras_prune.utils.quiet import quiet
from tests.classifiers import dark_or_light, one_sigmoid, pictures

IMAGES = np.stack([np.full((6, 5, 3), grey, "float32") for grey in (0, 122, 132, 255, 40)])
LIGHT = 1 / (1 + np.exp(0.2 * (127 - IMAGES[:, 0, 0, 0].astype("float64"))))


def saved(folder, name, model):
    path = folder / name
    if name == "by_keras":
        model.export(path, verbose=False)
    else:
        export(model, path)
    return path


@pytest.mark.parametrize("name", ["model.keras", "model.kpz", "model.tflite", "saved", "by_keras"])
def test_all_formats_give_the_same_probabilities(tmp_path, name):
    predictor = open_predictor(saved(tmp_path, name, dark_or_light()))
    assert (predictor.input_shape, predictor.num_classes) == ((6, 5, 3), 2)
    expected = np.stack([1 - LIGHT, LIGHT], axis=1)
    for count in (5, 2):
        np.testing.assert_allclose(predictor(IMAGES[:count]), expected[:count], atol=1e-5)


@pytest.mark.parametrize("name", ["model.keras", "model.tflite"])
def test_one_probability_is_that_of_the_second_class(tmp_path, name):
    predictor = open_predictor(saved(tmp_path, name, one_sigmoid()))
    assert predictor.num_classes == 2
    np.testing.assert_allclose(predictor(IMAGES), np.stack([1 - LIGHT, LIGHT], 1), atol=1e-5)
    np.testing.assert_allclose(predictor(IMAGES[:1])[0, 1], LIGHT[0], atol=1e-5)
    folder = str(pictures(tmp_path / "pictures"))
    splits = data.load(folder, input_shape=(6, 5, 3))
    assert evaluate_predictor(predictor, splits.test).accuracy == pytest.approx(90)


def test_images_that_do_not_fit_into_memory_go_in_halves():
    sizes = []

    def run(images):
        sizes.append(len(images))
        if len(images) > 2:
            raise MemoryError
        return images[:, 0, 0, :2]

    images = np.arange(5 * 6 * 5 * 3, dtype="float32").reshape(5, 6, 5, 3)
    with pytest.warns(ResultWarning, match="not enough memory for 5 images at once"):
        found = _in_batches_of(None, run)(images)
    np.testing.assert_array_equal(found, images[:, 0, 0, :2])
    assert sizes == [5, 2, 3, 1, 2]


def test_outputs_that_are_no_numbers_are_one_line():
    def run(images):
        return np.where(np.arange(len(images))[:, None] < 3, np.nan, images[:, 0, 0, :2])

    for predict in (Predictor.__call__, Predictor.log_probabilities):
        with pytest.raises(ModelError, match="The model gives NaN for 3 of 5 images: its weights"):
            predict(Predictor((6, 5, 3), 2, run), IMAGES)


def test_one_image_that_does_not_fit_into_memory_is_one_line():
    def run(images):
        with attributed("model.keras", "run"):
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    with (
        pytest.raises(ModelError, match="not enough memory for one image: OOM"),
        pytest.warns(ResultWarning),
    ):
        _in_batches_of(None, run)(IMAGES)


def test_one_score_that_is_no_probability_is_refused(tmp_path):
    path = saved(tmp_path, "model.keras", one_sigmoid(activation=None))
    with pytest.raises(ModelError, match="one score, from .* Expected a probability"):
        open_predictor(path)


@pytest.mark.parametrize("seed", range(4))
def test_one_score_that_happens_to_lie_between_0_and_1_is_refused(tmp_path, seed):
    keras.utils.set_random_seed(seed)
    i = keras.Input((6, 5, 3))
    x = keras.layers.Conv2D(8, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(i))
    x = keras.layers.GlobalAveragePooling2D()(x)
    path = saved(tmp_path, "model.keras", keras.Model(i, keras.layers.Dense(1)(x)))
    with pytest.raises(ModelError, match="one score"):
        open_predictor(path)


def converted(model, path, **settings):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    for name, value in settings.items():
        setattr(converter, name, value)
    with quiet():
        path.write_bytes(converter.convert())
    return path


@pytest.mark.parametrize("name", ["two.keras", "two.tflite"])
def test_a_model_of_a_fixed_batch_takes_any_number_of_images(tmp_path, name):
    pair = keras.Input(batch_shape=(2, 6, 5, 3))
    model = keras.Model(pair, dark_or_light()(pair))
    if name == "two.keras":
        model.save(tmp_path / name)
    else:
        converted(model, tmp_path / name)
    np.testing.assert_allclose(open_predictor(tmp_path / name)(IMAGES)[:, 1], LIGHT, atol=1e-5)


def test_a_tflite_file_of_whole_numbers_is_scaled(tmp_path):
    path = converted(
        dark_or_light(),
        tmp_path / "int8.tflite",
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([image[None]] for image in IMAGES),
        inference_input_type=tf.int8,
        inference_output_type=tf.int8,
    )
    np.testing.assert_allclose(open_predictor(path)(IMAGES)[:, 1], LIGHT, atol=0.1)


@pytest.mark.parametrize("softmax", [False, True])
def test_it_is_evaluated_as_keras_evaluates_the_model(tmp_path, softmax):
    model = dark_or_light(softmax)
    folder = str(pictures(tmp_path / "pictures"))
    splits = data.load(folder, input_shape=(6, 5, 3), batch_size=7)
    expected = evaluate(model, splits.test)
    found = evaluate_predictor(open_predictor(saved(tmp_path, "m.tflite", model)), splits.test)
    assert found.examples == 20
    assert found.accuracy == pytest.approx(expected["accuracy"]) == pytest.approx(90)
    assert found.loss == pytest.approx(expected["loss"], rel=1e-3)


def models():
    vector = keras.Input((10,))
    image = keras.Input((6, 5, 3))
    two = keras.layers.Flatten()(image)
    open_image = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(open_image)
    return {
        "vector": keras.Model(vector, keras.layers.Dense(3)(vector)),
        "one": keras.Model(image, keras.layers.Dense(1)(two)),
        "map": keras.Model(image, keras.layers.Conv2D(4, 1)(image)),
        "outputs": keras.Model(image, [keras.layers.Dense(3)(two), keras.layers.Dense(3)(two)]),
        "open": keras.Model(open_image, keras.layers.Dense(3)(pooled)),
    }


@pytest.mark.parametrize("name", ["vector", "one", "map", "outputs", "open"])
def test_what_does_not_classify_images_is_refused(tmp_path, name):
    models()[name].save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match="does not classify images") as caught:
        open_predictor(tmp_path / "model.keras")
    assert "\n" not in str(caught.value)


def test_an_open_size_is_refused_in_other_formats_too(tmp_path):
    path = tmp_path / "open"
    export(models()["open"], path, batch=np.zeros((2, 8, 8, 3), "float32"))
    with pytest.raises(ModelError, match="of fixed size"):
        open_predictor(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text.tflite", "text.tflite is not a TFLite file"),
        ("text.keras", "not a Keras file"),
        ("absent.tflite", "absent.tflite does not exist"),
        ("folder", "is a folder without a .keras file"),
    ],
)
def test_a_file_of_no_known_kind_is_one_line(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    for text in ("text.tflite", "text.keras"):
        (tmp_path / text).write_text("hello")
    with pytest.raises(ModelError, match=message) as caught:
        open_predictor(tmp_path / name)
    assert "\n" not in str(caught.value)
