"""What lies in the cache of baselines is whole, or is set aside and made anew."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from filelock import FileLock

from keras_prune.errors import ConfigError, ResultWarning
from keras_prune.training.cache import CacheEntry, clear, kept
from keras_prune.training.checkpoint import Checkpoint, Position

MADE_BY = {"input_shape": [4], "num_classes": 3, "seed": 0}
ROWS = ({"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25})


def network(inputs=4, outputs=3):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs)])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def entry(folder):
    made = CacheEntry("net-data", MADE_BY)
    with made.held():
        made.save(network(), ROWS)
    return made


def file(folder, suffix):
    return next(path for path in folder.iterdir() if path.suffix == suffix)


def test_what_was_saved_is_loaded(entry, folder):
    model, rows = entry.load()
    assert rows == ROWS
    for found, expected in zip(model.get_weights(), network().get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert {path.suffix for path in folder.iterdir()} == {".keras", ".json"}
    assert json.loads(file(folder, ".json").read_text())["versions"]["keras"] == keras.version()
    assert CacheEntry("net-data", {**MADE_BY, "seed": 1}).load() is None


def note(folder, **changes):
    path = file(folder, ".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def another_model(folder, made, **changes):
    """The model of another network, and a note that knows no checksum, as version 0.1 wrote."""
    made.save(file(folder, ".keras"))
    path = file(folder, ".json")
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(content))


def not_a_number():
    model = network()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


def folder_for_a_file(path):
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("1")


DAMAGES = {
    "empty_note": lambda at: file(at, ".json").write_text(""),
    "half_a_note": lambda at: file(at, ".json").write_text(file(at, ".json").read_text()[:40]),
    "binary_note": lambda at: file(at, ".json").write_bytes(b"\xff\xfe\x00"),
    "deep_note": lambda at: file(at, ".json").write_text("[" * 10**5),
    "note_of_a_list": lambda at: file(at, ".json").write_text("[1]"),
    "a_folder_for_a_note": lambda at: folder_for_a_file(file(at, ".json")),
    "another_network": lambda at: note(at, made_by=MADE_BY | {"seed": 7}),
    "history_of_text": lambda at: note(at, history="x"),
    "epoch_999": lambda at: note(at, history=[{"epoch": 999}]),
    "empty_model": lambda at: file(at, ".keras").write_bytes(b""),
    "half_a_model": lambda at: file(at, ".keras").write_bytes(
        file(at, ".keras").read_bytes()[:900]
    ),
    "no_model": lambda at: file(at, ".keras").unlink(),
    "a_folder_for_a_model": lambda at: folder_for_a_file(file(at, ".keras")),
    "weights_of_another": lambda at: network().save(file(at, ".keras")),
    "other_inputs": lambda at: another_model(at, network(5)),
    "other_outputs": lambda at: another_model(at, network(4, 2)),
    "not_a_number": lambda at: another_model(at, not_a_number()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_set_aside_and_made_anew(damage, entry, folder):
    DAMAGES[damage](folder)
    with pytest.warns(ResultWarning, match="cannot be used") as told:
        assert entry.load() is None
    assert all("\n" not in str(each.message) for each in told)
    assert all(path.suffix == ".damaged" for path in folder.iterdir())
    with entry.held():
        entry.save(network(), ROWS)
    assert entry.load()[1] == ROWS


def test_an_entry_of_version_0_1_knows_no_checksum(entry, folder):
    another_model(folder, network())
    assert entry.load()[1] == ROWS


def test_what_is_whole_and_cannot_be_loaded_stays(entry, folder, monkeypatch):
    def fail(path):
        raise MemoryError("no room")

    monkeypatch.setattr(keras.models, "load_model", fail)
    with pytest.raises(ConfigError, match="is whole, but cannot be loaded: no room"):
        entry.load()
    assert {path.suffix for path in folder.iterdir()} == {".keras", ".json"}


def test_a_model_without_a_note_is_of_a_process_that_was_killed(entry, folder):
    file(folder, ".json").unlink()
    assert entry.load() is None  # and nobody needs to know


def test_what_is_no_number_is_not_kept(folder):
    entry = CacheEntry("net-data", MADE_BY)
    with entry.held(), pytest.raises(ConfigError, match="infinite or none"):
        entry.save(not_a_number(), ROWS)
    assert list(folder.iterdir()) == []


def test_what_lies_in_the_way_is_set_aside(entry, folder):
    (folder / f"{entry.name}.lock").mkdir()
    (folder / f"{entry.name}.partial").write_text("x")
    (folder / f".{entry.name}-31127.keras").write_text("half")
    with pytest.warns(ResultWarning, match="folder"), entry.held():
        assert not entry.partial.exists()
    assert {path.suffix for path in folder.iterdir()} == {".keras", ".json", ".damaged"}


@pytest.mark.parametrize("where", ["a file", "below a file"])
def test_a_cache_that_cannot_be_written_is_one_line(where, folder, monkeypatch):
    folder.write_text("")
    place = folder / "x" if where == "below a file" else folder
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(place))
    entry = CacheEntry("net-data", MADE_BY)
    with pytest.raises(ConfigError, match="KERAS_PRUNE_CACHE name a folder"), entry.held():
        pass


HOLDS = """
import sys, time
from keras_prune.training.cache import CacheEntry
with CacheEntry("net-data", {"input_shape": [4], "num_classes": 3, "seed": 0}).held():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_another_process_is_waited_for_and_a_dead_one_is_not(folder):
    entry = CacheEntry("net-data", MADE_BY)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"KERAS_PRUNE_CACHE": str(folder)},
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout.readline() == b"held\n"
        assert clear() == ([], [entry.name])
        child.kill()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with entry.held():
            assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_one_who_waits_is_told(entry, folder, monkeypatch):
    lock = FileLock(folder / f"{entry.name}.lock", thread_local=False)
    lock.acquire()
    with pytest.warns(ResultWarning, match="waited for") as told:
        monkeypatch.setattr("warnings.warn", _releasing(lock, warnings.warn))
        with entry.held():
            pass
    assert len(told) == 1


def _releasing(lock, warn):
    def told(*args, **kwargs):
        lock.release()
        warn(*args, **kwargs)

    return told


def test_what_is_kept_is_listed_and_removed(entry, folder):
    (folder / "net-data-0123456789ab.partial").mkdir()
    (folder / "net-data-0123456789ab.partial" / "x").write_text("12345")
    (folder / "net-data-ba9876543210.json.damaged").write_text("{")
    (folder / "net-data-aaaaaaaaaaaa.lock").write_text("")
    (folder / "net-data-bbbbbbbbbbbb.keras").write_text("1")
    (folder / "net-data-cccccccccccc.keras").write_text("1")
    (folder / "net-data-cccccccccccc.json").write_text("[" * 10**5)
    (folder / "mine.txt").write_text("mine")
    found = {each.name: each for each in kept()}
    states = {name: (each.state, each.epochs) for name, each in found.items()}
    assert states == {
        entry.name: ("trained", 2),
        "net-data-0123456789ab": ("unfinished", None),
        "net-data-ba9876543210": ("damaged", None),
        "net-data-aaaaaaaaaaaa": ("unfinished", None),
        "net-data-bbbbbbbbbbbb": ("unfinished", None),
        "net-data-cccccccccccc": ("damaged", None),
    }
    assert found["net-data-0123456789ab"].bytes == 5
    removed, busy = clear()
    assert (sorted(removed), busy) == (sorted(found), [])
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "content",
    [
        {"epoch": 999, "step": 0, "rows": [], "finished": False},
        {"epoch": "x", "step": 0, "rows": [], "finished": False},
        {"epoch": 0, "step": -1, "rows": [], "finished": False},
        {"epoch": 0},
        [],
    ],
)
def test_a_saved_state_that_makes_no_sense_is_not_used(content, tmp_path):
    kept = Checkpoint(tmp_path, "me")
    written = {**content, "identity": "me"} if isinstance(content, dict) else content

    def write(place):
        (place / "position.json").write_text(json.dumps(written))
        np.savez(place / "variables.npz", np.zeros(3))

    kept._generations.save(write)
    if content == {"epoch": 0}:
        assert kept.load()[0] == Position()
        return
    with pytest.warns(ResultWarning, match="is not used"):
        assert kept.load() is None
