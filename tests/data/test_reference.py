"""Splits that a Python function returns."""

import numpy as np
import pytest
import tensorflow as tf

from keras_prune import data
from keras_prune.errors import DataError

HEAD = """
import numpy as np
import tensorflow as tf

print("noise")
reads = []


def part(count, first=0, classes=3):
    images = np.zeros((count, 6, 6, 1), "uint8") + np.arange(count, dtype="uint8")[
        :, None, None, None
    ] + np.uint8(first)
    return images, (np.arange(count) + first) % classes


def pipeline(count, batch=None, name=""):
    images, labels = part(count)

    def examples():
        reads.append(name)
        yield from zip(images, labels)

    specs = tf.TensorSpec((6, 6, 1), "uint8"), tf.TensorSpec((), "int64")
    dataset = tf.data.Dataset.from_generator(examples, output_signature=specs)
    return dataset.batch(batch) if batch else dataset


def splits():
    return RETURNED
"""


@pytest.fixture
def load(tmp_path, monkeypatch, request):
    """Loads what the function of a fresh module in the current directory returns."""
    monkeypatch.chdir(tmp_path)
    name = f"given_{abs(hash(request.node.nodeid))}"

    def load(returned, function="splits"):
        (tmp_path / f"{name}.py").write_text(HEAD.replace("RETURNED", returned))
        return data.load(f"{name}:{function}", input_shape=(6, 6, 1), augment=False)

    load.module = name
    return load


def greys(dataset):
    return {
        int(image[0, 0, 0]): int(label) for image, label in dataset.unbatch().as_numpy_iterator()
    }


def test_arrays(load, capsys):
    splits = load("part(9), part(6, 100), part(3, 200)")
    assert dict(splits.sizes) == {"train": 9, "validation": 6, "test": 3}
    assert (splits.num_classes, splits.class_names) == (3, ())
    assert greys(splits.train) == {grey: grey % 3 for grey in range(9)}
    assert greys(splits.validation) == {grey: grey % 3 for grey in range(100, 106)}
    assert greys(splits.test) == {grey: grey % 3 for grey in range(200, 203)}
    assert capsys.readouterr().out == ""


def test_labels_in_a_column_and_class_names(load):
    splits = load("*[(x, y[:, None]) for x, y in (part(9), part(6), part(3))], ['a', 'b', 'c']")
    assert splits.class_names == ("a", "b", "c")
    assert greys(splits.train) == {grey: grey % 3 for grey in range(9)}


@pytest.mark.parametrize("batch", ["None", "4"])
def test_pipelines_of_examples_or_batches_are_read_when_needed(load, batch):
    import sys

    splits = load(
        f"pipeline(9, {batch}, 'train'), pipeline(6, {batch}, 'validation'), "
        f"pipeline(3, {batch}, 'test')"
    )
    reads = sys.modules[load.module].reads
    assert splits.num_classes == 3
    assert greys(splits.train) == {grey: grey % 3 for grey in range(9)}
    assert set(reads) == {"train"}
    assert dict(splits.sizes) == {"train": 9, "validation": 6, "test": 3}
    assert len(greys(splits.test)) == 3


def test_values_are_passed_on_as_they_are(load):
    splits = load("*[(x / 255, y) for x, y in (part(9), part(6), part(3, 252))],")
    (images, _), *_ = splits.test.as_numpy_iterator()
    assert sorted(images[:, 0, 0, 0]) == pytest.approx([252 / 255, 253 / 255, 254 / 255])


def test_the_examples_are_mixed(load):
    splits = load("*3 * [(np.zeros((200, 6, 6, 1)), np.repeat([0, 1], 100))],")
    _, labels = splits.validation_arrays(limit=10)
    assert 0 < labels.sum() < 10


PAIR = "(np.zeros((4, 6, 6, 1)), [0, 1, 0, 1])"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("part(9), part(6)", r"return \(train, validation, test\).*Received: tuple of 2"),
        ("None", "Received: NoneType"),
        (
            f"{PAIR}, {PAIR}, 7",
            "test split: expected .* arrays or a tf.data.Dataset. Received: int",
        ),
        (f"(np.zeros((3, 6, 6, 1)), [0, 1]), {PAIR}, {PAIR}", "Received: 3 images, 2 labels"),
        (f"(np.zeros((2, 6, 6)), [0, 1]), {PAIR}, {PAIR}", r"Received: shape \(2, 6, 6\)"),
        (f"(np.zeros((2, 6, 6, 2)), [0, 1]), {PAIR}, {PAIR}", "1 or 3 channels"),
        (f"{PAIR}, (np.zeros((2, 6, 6, 1)), [0.0, 1.0]), {PAIR}", "validation split.*float64"),
        (f"(np.zeros((2, 6, 6, 1)), np.eye(2, dtype=int)), {PAIR}, {PAIR}", r"shape \(2, 2\)"),
        (f"(np.zeros((2, 6, 6, 1)), [-1, 0]), {PAIR}, {PAIR}", "from 0 .*the first -1"),
        (f"(np.zeros((0, 6, 6, 1)), []), {PAIR}, {PAIR}", "at least one example"),
        (f"([[1], [1, 2]], [0, 1]), {PAIR}, {PAIR}", "expected arrays of numbers"),
        (f"(np.zeros((2, 6, 6, 1)), [0, 0]), {PAIR}, {PAIR}", "two classes. Received: 1"),
        (f"{PAIR}, {PAIR}, pipeline(3).repeat()", "test split: expected a dataset that ends"),
        (f"{PAIR}, {PAIR}, pipeline(3).map(lambda x, y: x)", "expected pairs"),
    ],
)
def test_what_cannot_be_used_is_one_line(load, returned, message):
    with pytest.raises(DataError, match=message) as caught:
        load(returned)
    assert load.module in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_beyond_the_classes_are_refused_as_their_split_is_read(load):
    splits = load(f"{PAIR}, {PAIR}, (np.zeros((2, 6, 6, 1)), [1, 2])")
    with pytest.raises(DataError, match="labels from 0 to 1 in the test split. Received: 2"):
        splits.test  # noqa: B018


def test_images_of_unlike_sizes_are_one_line(load):
    splits = load(
        f"{PAIR}, tf.data.Dataset.from_generator(lambda: iter([(np.ones((i, 6, 1)), 0) for i in "
        "(5, 6)]), output_signature=(tf.TensorSpec((None, 6, 1)), tf.TensorSpec((), 'int32'))), "
        f"{PAIR}"
    )
    with pytest.raises(DataError, match="validation split: cannot be read: ") as caught:
        splits.validation  # noqa: B018
    assert "\n" not in str(caught.value)


def test_a_missing_function_gets_a_suggestion(load):
    with pytest.raises(DataError, match="Did you mean 'splits'"):
        load("None", function="split")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "current directory: ModuleNotFoundError"),
        ("import nonesuch", "ModuleNotFoundError: No module named 'nonesuch'"),
        ("a =", "SyntaxError"),
        ("import sys; sys.exit()", "SystemExit"),
        ("import sys\ndef splits(): sys.exit(0)", "SystemExit"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_line(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "unimportable.py").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        data.load("unimportable:splits", input_shape=(6, 6, 1))
    assert "\n" not in str(caught.value)


def test_pipelines_of_keras_serve(tmp_path, monkeypatch, load):
    from tests.data.pictures import classes

    for split in ("train", "validation", "test"):
        classes(tmp_path / split, {"a": 3, "b": 3})
    splits = load(
        "*[tf.keras.utils.image_dataset_from_directory(s, image_size=(9, 9), verbose=False) "
        "for s in ('train', 'validation', 'test')],"
    )
    assert dict(splits.sizes) == {"train": 6, "validation": 6, "test": 6}
    images, labels = splits.validation_arrays()
    assert images.shape == (6, 6, 6, 1)
    assert sorted(labels) == [0, 0, 0, 1, 1, 1]
    assert isinstance(splits.test, tf.data.Dataset)
    assert np.isfinite(images).all()
