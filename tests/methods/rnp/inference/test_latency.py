"""Dense and runtime-pruned files are timed on the same images."""

import numpy as np
import pytest

from keras_prune.exporting import export
from keras_prune.methods.rnp.inference import latency
from keras_prune.methods.rnp.inference.latency import compare_latency
from tests.methods.rnp.inference.nets import pictures, runtime_pruned


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("files"), runtime_pruned()
    pairs = {"dense.tflite": "pruned.tflite", "dense": "pruned"}
    for dense, pruned in pairs.items():
        export(model.backbone, folder / dense)
        export(model, folder / pruned, batch=pictures(4))
    return {folder / dense: folder / pruned for dense, pruned in pairs.items()}


@pytest.mark.slow
def test_a_row_for_each_form_and_batch_size_it_takes(files):
    frame = compare_latency(files, pictures(5), batch_sizes=(1, 4), turns=2)
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

        def __init__(self, path, threads, **_):
            self.seen = seen[path]

        def __call__(self, arrays):
            self.seen.append(arrays[0][:, 0].tolist())

    monkeypatch.setattr(latency, "open_runtime", Fake)
    images = np.arange(3).repeat(2).reshape(3, 2)
    compare_latency({"dense": "pruned"}, images, batch_sizes=(2,), turns=3)
    assert seen["dense"] == seen["pruned"]
    assert seen["dense"][::6] == [[0, 1], [2, 0], [1, 2]]


@pytest.mark.slow
def test_the_progress_of_turns(files):
    told = []
    compare_latency(files, pictures(2), batch_sizes=(1,), turns=2, watcher=told.append)
    assert [(p.done, p.total) for p in told] == [(1, 2), (2, 2)] * 2
