"""Output of a block is dropped; what comes before and after is not."""

import logging
import os
import subprocess
import sys
import threading
import time
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


def test_threads_share_the_quiet(capfd):
    within, go = threading.Barrier(4), threading.Barrier(4)

    def work(number):
        within.wait()
        with quiet():
            shout()
            go.wait()  # all are inside
            if number:
                time.sleep(0.01 * number)
            shout()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    streams = sys.stdout, sys.stderr
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sys.stdout, sys.stderr) == streams
    shout()
    assert capfd.readouterr() == ("python\ndescriptor", "python\ndescriptor")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_what_is_closed_stays_closed(closed):
    code = "from keras_prune.utils.quiet import quiet\nwith quiet():\n  print(1)\nopen('x', 'w')"
    command = f'cd $(mktemp -d) && {sys.executable} -c "{code}" {closed} && test -e x'
    assert subprocess.run(command, shell=True, check=False).returncode == 0
