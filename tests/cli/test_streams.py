"""Standard streams that nobody reads, or that were closed, are no reason to end the work."""

import os
import subprocess
import sys

import pytest

from keras_prune.cli.streams import lasting_streams

COMMAND = f"{sys.executable} -c 'from keras_prune.cli import main; main()'"
WRITING = """
import sys
from keras_prune.cli.streams import lasting_streams
with lasting_streams():
    for number in range(100_000):
        print(number)
        print(number, file=sys.stderr)
open("done", "w")
"""


def shell(command, cwd):
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=cwd, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("reader", ["2>&1 | head -1", "2>/dev/null | head -1", ">&-", ">&- 2>&-"])
def test_writing_goes_on_when_nobody_reads(tmp_path, reader):
    (tmp_path / "work.py").write_text(WRITING)
    code, out, err = shell(f"{sys.executable} work.py {reader}", tmp_path)
    assert code == 0 and (tmp_path / "done").exists()
    assert out == ("0\n" if "head" in reader else "") and "Error" not in err


def test_what_is_read_arrives_whole(tmp_path):
    (tmp_path / "work.py").write_text(
        "import sys\n"
        "from keras_prune.cli.streams import lasting_streams\n"
        "with lasting_streams():\n"
        "    print('\\u00e4 \\ud800')\n"
        "    print('b', file=sys.stderr)\n"
    )
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "work.py"], cwd=tmp_path, capture_output=True, env=environment
    )
    assert (done.stdout.decode(), done.stderr) == ("\u00e4 \\ud800\n", b"b\n")


def test_streams_are_the_same_afterwards(capfd):
    before = sys.stdout, sys.stderr
    with lasting_streams():
        print("within")
    assert (sys.stdout, sys.stderr) == before
    assert capfd.readouterr().out == "within\n"


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["2>&1 | head -1", ">&- 2>&-"])
def test_a_training_ends_and_leaves_its_files(tmp_path, reader):
    training = f"{COMMAND} train conv248 --dataset digits --epochs 1 --verbose --out run {reader}"
    code, _, _ = shell(training, tmp_path)
    assert code == 0
    assert {"model.keras", "report.json"} <= {path.name for path in (tmp_path / "run").iterdir()}


def test_a_result_that_cannot_be_written_is_one_line(tmp_path):
    code, _, err = shell(f"{COMMAND} --version > /dev/full", tmp_path)
    assert code == 2 and err.startswith("Error: No space left") and err.count("\n") == 1
