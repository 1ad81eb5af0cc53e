"""Output of a block is dropped; what comes before and after is not."""

import logging
import os
import subprocess
import sys
import warnings

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
