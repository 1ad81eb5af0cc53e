"""Dense and runtime-pruned files are timed on the same images."""

from pathlib import Path

import numpy as np
import pytest

from keras_prune.exporting import export
from keras_prune.methods.rnp.inference import latency
from keras_prune.methods.rnp.inference.latency import latencies
from tests.methods.rnp.inference.nets import pictures, runtime_pruned


@pytest.fixture(scope="module")
def model():
    return runtime_pruned()


@pytest.fixture(scope="module")
def paths(model, tmp_path_factory):
    paths = [tmp_path_factory.mktemp("files") / name for name in ("m.tflite", "m")]
    for path in paths:
        export(model, path, batch=pictures(4))
    return paths


def test_a_row_for_each_form_and_batch_size_it_takes(model, paths):
    frame = latencies(model.backbone, paths, pictures(5), batch_sizes=(1, 4), turns=2)
    assert [*zip(frame.form, frame.batch_size, strict=True)] == [
        ("tflite", 1), ("saved_model", 1), ("saved_model", 4),
    ]  # fmt: skip
    assert (frame[["dense_ms", "pruned_ms"]] > 0).all(axis=None)
    np.testing.assert_allclose(frame.speedup, frame.dense_ms / frame.pruned_ms)


def test_both_files_see_the_same_images_turn_by_turn(monkeypatch):
    seen = {"dense": [], "pruned": []}

    class Fake:
        kind = "saved_model"
        inputs = (type("Port", (), {"shape": (None, 2)}),)

        def __init__(self, path, threads=None):
            self.seen = seen[path.name]

        def __call__(self, arrays):
            self.seen.append(arrays[0][:, 0].tolist())

    monkeypatch.setattr(latency, "open_runtime", Fake)
    monkeypatch.setattr(latency, "_counterpart", lambda *_: Fake(Path("dense")))
    images = np.arange(3).repeat(2).reshape(3, 2)
    latencies(None, ["pruned"], images, batch_sizes=(2,), turns=3)
    assert seen["dense"] == seen["pruned"]
    assert seen["dense"][::6] == [[0, 1], [2, 0], [1, 2]]


def test_the_progress_of_turns(model, paths):
    told = []
    latencies(model.backbone, paths[1:], pictures(2), turns=2, watcher=told.append)
    assert [(p.done, p.total) for p in told] == [(1, 2), (2, 2)] * 2
