"""Output of a block is dropped; what comes before and after is not."""

import logging
import os
import shlex
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_prune.utils.quiet import quiet, quiet_descriptors


def shout():
    print("python")
    print("python", file=sys.stderr)
    os.write(1, b"descriptor")
    os.write(2, b"descriptor")


def test_only_the_block_is_quiet(capfd):
    print("before")
    with quiet():
        shout()
        warnings.warn("warning", stacklevel=1)
    print("after", file=sys.stderr)
    assert capfd.readouterr() == ("before\n", "after\n")


def test_output_comes_back_after_an_error(capfd):
    with pytest.raises(KeyError), quiet():
        raise KeyError
    shout()
    assert capfd.readouterr() == ("python\ndescriptor", "python\ndescriptor")


def test_what_python_had_buffered_is_dropped_even_after_an_error(tmp_path):
    code = (
        "from keras_prune.utils.quiet import quiet_descriptors\n"
        "try:\n"
        "    with quiet_descriptors():\n"
        "        print('inside')\n"
        "        raise KeyError\n"
        "except KeyError:\n"
        "    print('outside')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert (done.stdout, done.stderr) == (b"outside\n", b"")


def test_a_handler_made_inside_still_works_afterwards(capfd):
    with quiet_descriptors():
        os.write(2, b"greeting")
        handler = logging.StreamHandler()
    handler.emit(logging.makeLogRecord({"msg": "later"}))
    assert capfd.readouterr() == ("", "later\n")


def test_threads_that_enter_and_leave_in_turn_lose_nothing(capfd):
    before = sys.stdout, sys.stderr, warnings.filters
    first, second = quiet(), quiet()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    shout()  # the second is still inside
    second.__exit__(None, None, None)
    assert (sys.stdout, sys.stderr, warnings.filters) == before
    shout()
    assert capfd.readouterr() == ("python\ndescriptor", "python\ndescriptor")


def test_many_threads_at_once_lose_nothing(capfd):
    streams, start = (sys.stdout, sys.stderr), threading.Barrier(4)

    def enter_and_leave(kind):
        start.wait()
        for _ in range(200):
            with kind():
                os.write(1, b"descriptor")

    kinds = (quiet, quiet_descriptors) * 2
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(enter_and_leave, kinds))
    assert (sys.stdout, sys.stderr) == streams
    shout()
    assert capfd.readouterr() == ("python\ndescriptor", "python\ndescriptor")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("kind", ["quiet", "quiet_descriptors"])
def test_closed_descriptors_are_no_error(closed, kind, tmp_path):
    code = (
        "import os, sys\n"
        f"from keras_prune.utils.quiet import {kind}\n"
        f"with {kind}():\n"
        "    os.write(1, b'inside')\n"
        "    os.write(2, b'inside')\n"
        "file = open('file', 'w')\n"
        "assert file.fileno() > 2\n"
        "print('outside')\n"
        "file.write('done')"
    )
    shell = f"{sys.executable} -c {shlex.quote(code)} {closed}"
    done = subprocess.run(shell, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", "outside\n") and (tmp_path / "file").read_text() == "done"


def test_a_reader_that_has_gone_is_no_error_of_the_block(tmp_path):
    code = (
        "import sys\n"
        "from keras_prune.utils.quiet import quiet_descriptors\n"
        "sys.stdin.read()\n"  # until the reader has gone
        "sys.stdout.write('before')\n"
        "with quiet_descriptors():\n"
        "    print('inside')\n"
        "open('file', 'w').write('done')"
    )
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, env=buffered, stdin=pipe, stdout=pipe) as process:
        process.stdout.close()
        process.stdin.close()
    assert (tmp_path / "file").read_text() == "done"
