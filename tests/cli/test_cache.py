"""`keras-prune cache`: what is kept is listed, and removed when one says so."""

import pytest
from click.testing import CliRunner

from keras_prune.cli.app import app


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def entry(folder):
    (folder / "net-data-0123456789ab.keras").write_bytes(b"12345")
    (folder / "net-data-0123456789ab.json").write_text('{"history": [{"epoch": 1}]}')
    return folder


def run(*arguments, **options):
    result = CliRunner().invoke(app, ["cache", *arguments], **options)
    assert result.exit_code == 0, result.output
    return result


def test_list(entry):
    [row] = [line for line in run("list").output.splitlines() if "net-data" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "net-data-0123456789ab", "trained", "1", "32"
    ]  # fmt: skip


def test_epochs_are_whole_where_some_are_not_known(entry):
    (entry / "net-data-ba9876543210.partial").mkdir()
    rows = [line for line in run("list").output.splitlines() if "net-data" in line]
    assert [row.strip("│").split("│")[2].strip() for row in rows] == ["1", ""]


def test_an_empty_cache(folder):
    assert run("list").output == f"Nothing is kept in {folder}.\n"
    assert run("clear").output == f"Removed 0 networks from {folder}.\n"


@pytest.mark.parametrize(("answer", "left"), [("n\n", 2), ("y\n", 0)])
def test_clear_asks_first(entry, answer, left):
    assert run("clear", input=answer).exit_code == 0
    assert len(list(entry.iterdir())) == left


def test_clear_without_asking(entry):
    assert run("clear", "--yes").output == f"Removed 1 networks from {entry}.\n"
    assert list(entry.iterdir()) == []
