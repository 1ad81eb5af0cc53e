"""Folders of drafts: what the dead have left is removed, what the living write is not."""

import os
import signal
import subprocess
import sys
import time

import pytest

from keras_prune.utils.drafts import draft_folder, sweep

WRITES = """
import sys, time
from pathlib import Path
from keras_prune.utils.drafts import draft_folder
with draft_folder(Path(sys.argv[1])) as folder:
    (folder / "part").write_text("half")
    print(flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_the_folder_is_removed_with_what_is_left_in_it(tmp_path):
    with draft_folder(tmp_path) as folder:
        (folder / "a").write_text("")
        os.replace(folder / "a", tmp_path / "b")
        (folder / "c").write_text("")
    assert os.listdir(tmp_path) == ["b"]


def test_the_living_keep_theirs_and_the_dead_do_not(tmp_path, writer):
    [folder] = tmp_path.iterdir()
    with draft_folder(tmp_path):
        assert (folder / "part").exists()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    with draft_folder(tmp_path):
        assert not folder.exists()


def test_what_was_never_locked_goes_when_it_is_old(tmp_path):
    folder = tmp_path / ".export-abc"
    folder.mkdir()
    sweep(tmp_path)
    assert folder.exists()
    os.utime(folder, (time.time() - 3600,) * 2)
    sweep(tmp_path)
    assert not folder.exists()
