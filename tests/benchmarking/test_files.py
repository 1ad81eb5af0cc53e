"""Model files of every kind, side by side."""

import gzip

import keras
import numpy as np
import pytest

from keras_prune.benchmarking import benchmark, files
from keras_prune.errors import ConfigError, ModelError
from keras_prune.exporting import export
from keras_prune.profiling import profile

FILES = ["m.keras", "saved", "m.tflite", "m.onnx"]


def network(width):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(width, 3)(inputs))
    return keras.Model(inputs, keras.layers.Dense(4)(x))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("files")
    for name in FILES:
        export(network(8), path / name)
    export(network(2), path / "small.tflite")
    export(network(8), path / "two.tflite", batch_size=2)
    inputs = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    keras.Model(inputs, pooled).save(path / "open.keras")
    return path


def test_a_row_per_file_and_batch_size(folder):
    paths = [folder / name for name in FILES]
    told = []
    # TensorFlow runs already, with its own number of threads.
    found = files.benchmark(paths[2:], batch_sizes=(1, 3), turns=2, watcher=told.append)
    assert [(r.kind, r.batch_size) for r in found.rows] == [
        ("tflite", 1), ("onnx", 1), ("tflite", 3), ("onnx", 3),
    ]  # fmt: skip
    assert [(p.done, p.total) for p in told] == [(1, 2), (2, 2)] * 2
    for row in found.rows:
        assert 0 < row.p10_ms <= row.median_ms <= row.p90_ms
        assert row.throughput == pytest.approx(1000 * row.batch_size / row.median_ms)
    frame = found.to_frame()
    assert list(frame["path"]) == [str(path) for path in paths[2:]] * 2
    assert str(frame["macs"].dtype) == "Int64"  # also where some are missing


@pytest.mark.parametrize("name", FILES)
def test_every_kind_tells_its_macs_and_size(folder, name, monkeypatch):
    opened = files.open_runtime
    monkeypatch.setattr(files, "open_runtime", lambda path, *_, **__: opened(path))
    [row] = benchmark([folder / name], turns=1).rows
    assert row.macs == profile(network(8)).total.macs
    assert (row.speedup, row.mac_ratio, row.realised) == (1, 1, None)
    if name != "saved":
        assert row.bytes == (folder / name).stat().st_size
        packed = len(gzip.compress((folder / name).read_bytes(), 6))
        assert row.gzip_bytes == pytest.approx(packed, abs=64)


def test_realised_is_the_part_of_the_saved_work_that_became_time(folder, monkeypatch):
    times = [np.full(10, 0.006), np.full(10, 0.003)]
    monkeypatch.setattr(files, "interleaved", lambda *_: times)
    first, small = benchmark([folder / "m.tflite", folder / "small.tflite"]).rows
    assert (first.median_ms, small.median_ms) == (6, 3)
    assert (small.speedup, small.mac_ratio) == (2, 4)
    assert small.realised == 0.5
    assert small.throughput == pytest.approx(1000 / 3)


@pytest.mark.parametrize(
    ("names", "batch_size", "error", "words"),
    [
        (["m.tflite", "absent.onnx"], 1, ModelError, "absent.onnx does not exist"),
        (["m.tflite", "two.tflite"], 1, ConfigError, "two.tflite only takes batches of 2"),
        (["open.keras"], 1, ConfigError, "open.keras has the open shape"),
    ],
)
def test_bad_files(folder, names, batch_size, error, words, monkeypatch):
    opened = files.open_runtime
    monkeypatch.setattr(files, "open_runtime", lambda path, *_, **__: opened(path))
    with pytest.raises(error, match=words):
        benchmark([folder / name for name in names], batch_sizes=(batch_size,), turns=1)
