"""States are whole or not there, and two are kept."""

import json
import os
import shutil

import pytest

from keras_prune.utils.generations import Generations


@pytest.fixture
def kept(tmp_path):
    return Generations(tmp_path / "state")


def save(kept, text):
    kept.save(lambda place: (place / "a.txt").write_text(text))


def texts(kept):
    return [(place / "a.txt").read_text() for place in kept.newest_first()]


def test_the_two_newest_are_kept(kept):
    assert texts(kept) == []
    for text in "abc":
        save(kept, text)
    assert texts(kept) == ["c", "b"]
    assert sorted(path.name for path in kept.folder.iterdir()) == ["000002", "000003"]
    save(Generations(kept.folder), "d")
    assert texts(kept) == ["d", "c"]


def test_a_save_that_fails_leaves_what_was_there(kept):
    save(kept, "a")

    def broken(place):
        (place / "a.txt").write_text("half")
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        kept.save(broken)
    assert texts(kept) == ["a"]
    assert [path.name for path in kept.folder.iterdir()] == ["000001"]


def truncate(place):
    (place / "a.txt").write_text("")


def change(place):
    (place / "a.txt").write_text("x")


def lose_a_file(place):
    (place / "a.txt").unlink()


def lose_the_manifest(place):
    (place / "manifest.json").unlink()


def halve_the_manifest(place):
    text = (place / "manifest.json").read_text()
    (place / "manifest.json").write_text(text[: len(text) // 2])


def list_as_manifest(place):
    (place / "manifest.json").write_text(json.dumps(["a.txt"]))


def nest_the_manifest(place):
    (place / "manifest.json").write_text('{"a":' * 10**5)


def name_what_lies_elsewhere(place):
    (place / "manifest.json").write_text(json.dumps({"/dev/zero": ""}))


def become_a_pipe(place):
    (place / "a.txt").unlink()
    os.mkfifo(place / "a.txt")


def become_a_file(place):
    shutil.rmtree(place)
    place.write_text("foreign")


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        change,
        lose_a_file,
        lose_the_manifest,
        halve_the_manifest,
        list_as_manifest,
        nest_the_manifest,
        name_what_lies_elsewhere,
        become_a_pipe,
        become_a_file,
    ],
)
def test_a_damaged_one_is_passed_over_and_the_next_save_follows_it(kept, damage):
    save(kept, "a")
    save(kept, "b")
    damage(kept.folder / "000002")
    assert texts(kept) == ["a"]
    assert kept.damaged == ["000002"]
    save(kept, "c")
    assert texts(kept)[0] == "c"


def test_what_a_killed_process_left_half_written_and_foreign_entries_are_no_generations(kept):
    save(kept, "a")
    for name in (".draft-1", "notes", "000009.bak"):
        (kept.folder / name).mkdir()
        (kept.folder / name / "a.txt").write_text(name)
    (kept.folder / "readme.txt").write_text("")
    assert texts(kept) == ["a"]
    save(kept, "b")
    assert texts(kept) == ["b", "a"]


def test_clear_removes_all(kept):
    save(kept, "a")
    kept.clear()
    assert texts(kept) == [] and not kept.folder.exists()
