"""A directory of class folders."""

import keras
import numpy as np
import pytest

from keras_prune import data
from keras_prune.errors import DataError
from tests.data.pictures import classes, picture

SHAPE = (6, 5, 3)


def seen(splits, split):
    """Grey value -> label of every image of a split."""
    dataset = getattr(splits, split).unbatch()
    return {int(image[0, 0, 0]): int(label) for image, label in dataset.as_numpy_iterator()}


def load(folder, **options):
    return data.load(str(folder), input_shape=SHAPE, augment=False, **options)


def test_classes_are_split_alike_and_the_same_for_every_seed(tmp_path):
    folder = classes(tmp_path, {"dog": 10, "cat": 20})
    splits = load(folder, batch_size=1)
    assert splits.class_names == ("cat", "dog")
    assert splits.sizes == {"train": 24, "validation": 3, "test": 3}
    parts = [seen(splits, split) for split in ("train", "validation", "test")]
    together = parts[0] | parts[1] | parts[2]
    assert together == {grey: int(grey < 10) for grey in range(30)}
    assert [sorted(part.values()) for part in parts[1:]] == [[0, 0, 1]] * 2
    again = load(folder, batch_size=1, seed=5)
    assert [seen(again, split) for split in ("train", "validation", "test")] == parts


def test_split_folders_are_the_splits(tmp_path):
    classes(tmp_path / "train", {"a": 2, "b": 2})
    classes(tmp_path / "val", {"a": 1, "b": 1}, first=100)
    classes(tmp_path / "test", {"b": 3}, first=200)
    splits = load(tmp_path)
    assert splits.sizes == {"train": 4, "validation": 2, "test": 3}
    assert splits.batch_size == 4
    assert seen(splits, "validation") == {100: 0, 101: 1}
    assert seen(splits, "test") == {200: 1, 201: 1, 202: 1}


@pytest.mark.parametrize("held_out", ["test", "validation"])
def test_a_missing_validation_split_is_cut_from_train(tmp_path, held_out):
    classes(tmp_path / "train", {"a": 10, "b": 10})
    classes(tmp_path / held_out, {"a": 1, "b": 1}, first=100)
    splits = load(tmp_path)
    assert splits.sizes == {"train": 18, "validation": 2, "test": 2}
    assert set(seen(splits, "test")) == {100, 101}


def test_a_class_may_be_called_train(tmp_path):
    assert load(classes(tmp_path, {"car": 10, "train": 10})).class_names == ("car", "train")


def test_the_classes_are_mixed(tmp_path):
    _, labels = load(classes(tmp_path, {"a": 100, "b": 100})).validation_arrays(limit=10)
    assert 0 < labels.sum() < 10


def test_images_are_resized_as_keras_does(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        classes(tmp_path / "train", {name: 1})
        (tmp_path / "test" / name).mkdir(parents=True)
        noise = rng.uniform(0, 255, (9, 13, 3))
        keras.utils.save_img(tmp_path / "test" / name / "noise.png", noise, scale=False)
        classes(tmp_path / "validation", {name: 1})
    reference = keras.utils.image_dataset_from_directory(
        tmp_path / "test", image_size=SHAPE[:2], shuffle=False, verbose=False
    )
    (expected, expected_labels), *_ = reference.as_numpy_iterator()
    (images, labels), *_ = load(tmp_path).test.as_numpy_iterator()
    order = np.argsort(labels)
    np.testing.assert_array_equal(labels[order], expected_labels)
    np.testing.assert_allclose(images[order], expected, atol=0.5)


def test_grey_pictures_and_hidden_and_other_files_do_no_harm(tmp_path):
    classes(tmp_path, {"a": 10, "b": 10})
    keras.utils.save_img(tmp_path / "a" / "grey.JPG", np.full((4, 4, 1), 99), scale=False)
    (tmp_path / "a" / "._000.png").write_text("resource fork")
    (tmp_path / "a" / "notes.txt").write_text("notes")
    (tmp_path / ".cache").mkdir()
    splits = load(tmp_path)
    assert sum(splits.sizes.values()) == 21
    assert splits.class_names == ("a", "b")
    values = set()
    for split in ("train", "validation", "test"):
        values |= set(seen(splits, split))
    assert any(abs(value - 99) <= 2 for value in values)


def test_no_image_is_read_before_it_is_needed(tmp_path):
    classes(tmp_path / "train", {"a": 2, "b": 2})
    classes(tmp_path / "val", {"a": 1, "b": 1})
    classes(tmp_path / "test", {"a": 1, "b": 1})
    bad = tmp_path / "test" / "a" / "000.png"
    bad.write_bytes(b"no picture")
    splits = load(tmp_path)
    assert len(splits.validation_arrays()[1]) == 2
    with pytest.raises(DataError, match="Cannot read the image .*test/a/000.png") as caught:
        splits.test  # noqa: B018
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({}, "at least two classes in .*. Received: no folder"),
        ({"a": 10}, "at least two classes in .*. Received: a"),
        ({"a": 10, "b": 9}, r"at least 10 images in .*b, to split them. Received: 9"),
        ({"train/a": 9, "train/b": 9, "test/a": 1}, "at least 10 images"),
        ({"train/a": 10, "train/b": 10, "test/c": 1}, "the class 'c' for test, but not for train"),
        ({"a": 10, "b": 0}, "class folder 'b' in .* holds no image"),
        ({"train/a": 10, "train/b": 10, "test": 0}, "The test folder in .* holds no class folders"),
    ],
)
def test_a_folder_of_another_form_is_refused(tmp_path, layout, message):
    for name, count in layout.items():
        (tmp_path / name).mkdir(parents=True)
        for index in range(count):
            picture(tmp_path / name / f"{index}.png")
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_path_that_is_none_says_what_may_be_given(tmp_path):
    with pytest.raises(DataError, match="directory of class folders, or module:function"):
        load(tmp_path / "absent")
