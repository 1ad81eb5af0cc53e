"""Data sets of tensorflow-datasets: present, absent and damaged."""

import io
import os
from pathlib import Path

import numpy as np
import pytest

from keras_prune import data
from keras_prune.data import prepared
from keras_prune.errors import DataError


def root_of(name):
    root = os.environ.get("TFDS_DATA_DIR")
    if not root or not (Path(root) / name).is_dir():
        pytest.skip(f"no prepared {name} under TFDS_DATA_DIR")
    return Path(root)


def unreachable(request, timeout):
    raise OSError("no network")


def test_an_absent_data_set_names_both_ways_out(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(prepared.urllib.request, "urlopen", unreachable)
    folder = tmp_path / "none"
    with pytest.raises(DataError) as caught:
        data.load("cifar10", input_shape=(32, 32, 3), data_dir=folder)
    message = str(caught.value)
    for part in ("'cifar10'", str(folder), "--dataset digits", "--data-dir", "TFDS_DATA_DIR"):
        assert part in message
    assert "\n" not in message
    assert not folder.exists()
    assert capfd.readouterr().out == ""


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared.urllib.request, "urlopen", unreachable)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match="elsewhere"):
        data.load("mnist", input_shape=(28, 28, 1))


def test_a_failing_download_leaves_nothing_behind(tmp_path, monkeypatch, capfd):
    import tensorflow_datasets as tfds

    def fail(builder, **_):
        print("noise")
        Path(builder.data_path).mkdir(parents=True)
        raise ValueError("broken off")

    monkeypatch.setattr(prepared.urllib.request, "urlopen", lambda *_, **__: io.BytesIO())
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(DataError, match="cannot be opened or downloaded"):
        data.load("cifar10", input_shape=(32, 32, 3), data_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().out == ""


def test_a_download_is_moved_into_place_whole(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    name = "dummy_dataset"
    monkeypatch.setattr(
        prepared, "_builder", lambda _, root: tfds.testing.DummyDataset(data_dir=root)
    )
    with prepared._quiet():
        assert not prepared._builder(name, tmp_path).is_prepared()
        assert prepared._open(name, tmp_path).is_prepared()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_a_file_is_no_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared.urllib.request, "urlopen", lambda *_, **__: io.BytesIO())
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DataError, match="cannot be opened"):
        data.load("mnist", input_shape=(28, 28, 1), data_dir=file)


@pytest.mark.data
def test_a_damaged_description_is_no_traceback(tmp_path):
    version = next((root_of("mnist") / "mnist").iterdir())
    copy = tmp_path / "mnist" / version.name
    copy.mkdir(parents=True)
    (copy / "features.json").write_text((version / "features.json").read_text())
    (copy / "dataset_info.json").write_text("{")
    with pytest.raises(DataError, match="cannot be opened"):
        data.load("mnist", input_shape=(28, 28, 1), data_dir=tmp_path)


@pytest.mark.data
def test_cifar10_comes_in_tfds_order():
    import tensorflow_datasets as tfds

    root = root_of("cifar10")
    splits = data.load("cifar10", input_shape=(32, 32, 3), data_dir=root)
    assert dict(splits.sizes) == {"train": 45_000, "validation": 5_000, "test": 10_000}
    images, labels = splits.validation_arrays(limit=10)
    builder = tfds.builder("cifar10", data_dir=root)
    stored = builder.as_dataset(split="train[45000:45010]", as_supervised=True)
    for index, (image, label) in enumerate(stored.as_numpy_iterator()):
        np.testing.assert_array_equal(images[index], image)
        assert labels[index] == label


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_grey_images_fit_an_rgb_network(name):
    splits = data.load(name, input_shape=(32, 32, 3), data_dir=root_of(name))
    images, _ = splits.validation_arrays(limit=64)
    assert images.shape == (64, 32, 32, 3)
    np.testing.assert_array_equal(images[..., 0], images[..., 2])


@pytest.mark.data
def test_loading_needs_no_test_file_and_asking_for_it_says_so(tmp_path):
    version = next((root_of("fashion_mnist") / "fashion_mnist").iterdir())
    copy = tmp_path / "fashion_mnist" / version.name
    copy.mkdir(parents=True)
    for file in version.iterdir():
        if "-test." not in file.name:
            (copy / file.name).symlink_to(file)
    splits = data.load("fashion_mnist", input_shape=(28, 28, 1), data_dir=tmp_path)
    assert len(splits.validation_arrays()[1]) == 6_000
    with pytest.raises(DataError, match="test split cannot be read"):
        splits.test  # noqa: B018


@pytest.fixture
def stored(tmp_path):
    """Stores a data set as TFDS does: its images, and three classes."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def store(name, splits, label=None):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": label or tfds.features.ClassLabel(names=["ash", "elm", "oak"]),
        }

        def part(count):
            for index in range(count):
                image = np.full((4 + index % 2, 5, 3), index, "uint8")
                yield {"image": image, "label": index % 3}

        signature = {
            "image": tf.TensorSpec((None, None, 3), "uint8"),
            "label": tf.TensorSpec((), "int64"),
        }
        datasets = {
            split: tf.data.Dataset.from_generator(
                lambda count=count: part(count), output_signature=signature
            )
            for split, count in splits.items()
        }
        with prepared._quiet():
            tfds.dataset_builders.store_as_tfds_dataset(
                name=name,
                version="1.0.0",
                features=tfds.features.FeaturesDict(features),
                split_datasets=datasets,
                data_dir=tmp_path,
                config=None,
                disable_shuffling=True,
            )
        return tmp_path

    return store


def test_any_prepared_data_set_of_images_can_be_used(stored):
    where = stored("trees", {"train": 20, "validation": 6, "test": 3})
    splits = data.load("trees", input_shape=(8, 8, 3), data_dir=where, augment=False)
    assert splits.class_names == ("ash", "elm", "oak")
    assert splits.sizes == {"train": 20, "validation": 6, "test": 3}
    images, labels = splits.validation_arrays()
    assert images.shape == (6, 8, 8, 3)
    np.testing.assert_array_equal(images[:, 0, 0, 0], range(6))
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1, 2])


def test_one_stored_split_is_split_80_10_10(stored):
    where = stored("trees", {"train": 20})
    splits = data.load("trees:1.0.0", input_shape=(8, 8, 3), data_dir=where)
    assert splits.sizes == {"train": 16, "validation": 2, "test": 2}
    assert sorted(splits.validation_arrays()[0][:, 0, 0, 0]) == [16, 17]


def test_a_data_set_without_classes_is_refused(stored):
    where = stored("trees", {"train": 20}, label=np.int64)
    with pytest.raises(DataError, match="images with one label each"):
        data.load("trees", input_shape=(8, 8, 3), data_dir=where)
