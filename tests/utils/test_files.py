"""Files are written whole or not at all, and read with care."""

import os

import pytest

from keras_prune.utils import files


def test_a_deep_a_foreign_and_a_large_file(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    for content, message in (
        ("[" * 10**5, "nested too deeply"),
        ("{", "Expecting property name"),
        ("9" * 6000, "4300"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=message):
            files.read_json(path)
    os.mkfifo(tmp_path / "pipe")
    for device in (tmp_path / "pipe", files.Path(os.devnull)):
        with pytest.raises(ValueError, match="a device or a pipe"):
            files.read_text(device)
    monkeypatch.setattr(files, "_MOST_BYTES", 5)
    with pytest.raises(ValueError, match="it has 6,000 bytes, at most 5 are read"):
        files.read_text(path)
    path.write_text("[1.5]")
    assert files.read_json(path) == [1.5]


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.txt"
    files.write_text(path, "first")
    with pytest.raises(UnicodeEncodeError):
        files.write_text(path, "\ud800")
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]
