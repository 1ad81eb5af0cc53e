"""What surrounds a run: its log, how much is shown, and what an end before its end leaves."""

import os
import signal

import pytest
import tensorflow as tf

from keras_prune.cli.output import RunLog
from keras_prune.errors import DataError, ModelError
from keras_prune.utils.progress import Progress


def raising(error):
    def run(*_, **__):
        raise error

    return run


@pytest.mark.parametrize("error", [DataError("No data\nset."), ModelError("No data set.")])
def test_a_failure_before_any_result_leaves_nothing_behind(call, driver, tmp_path, error):
    def fail(config, run, *, observers, **_):
        run.write_text("config.toml", "")
        observers.progress(Progress("train", 1, 1))
        raise error

    for work in (raising(error), fail):
        driver.run = work
        result = call("vgg16", "--out", "a", "--quiet")
        assert result == type(result)(2, "", "Error: No data set.\n")
        assert not (tmp_path / "a").exists()


def test_a_failure_after_some_is_in_the_log(call, driver, tmp_path):
    def fail(config, run, **_):
        run.write_text("history.csv", "")
        raise DataError("No data set.")

    driver.run = fail
    assert call("vgg16", "--out", "a").code == 2
    assert " ERROR No data set." in (tmp_path / "a" / "log.txt").read_text()


def test_interrupted_before_any_result(call, driver, tmp_path):
    driver.run = raising(KeyboardInterrupt())
    result = call("vgg16", "--out", "here")
    assert (result.code, result.err) == (130, "Interrupted. Nothing was written.\n")
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_the_middle_says_how_to_go_on(call, driver, tmp_path, how):
    def stop(config, run, **_):
        run.write_text("config.toml", "partial")
        os.kill(os.getpid(), how)

    driver.run = stop
    before = signal.getsignal(signal.SIGTERM)
    # A shell lets what it starts in the background ignore Ctrl-C.
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = call("vgg16", "--out", "my run")
    finally:
        signal.signal(signal.SIGINT, ignored)
    said = "Interrupted. The partial run is in my run. To go on: keras-prune run 'my run'\n"
    assert (result.code, result.err) == (130, said)
    assert (tmp_path / "my run" / "config.toml").read_text() == "partial"
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_bug_is_one_line_and_its_traceback_is_in_the_log(call, driver, tmp_path):
    driver.run = raising(ZeroDivisionError("by nought"))
    result = call("vgg16", "--out", "a")
    assert result.code == 1 and "Traceback" not in result.err
    assert "Error: ZeroDivisionError: by nought. This is a fault of keras-prune" in result.err
    assert "Traceback" in call("vgg16", "--out", "b", "--debug").err
    log = (tmp_path / "a" / "log.txt").read_text()
    assert "Traceback" in log and "ZeroDivisionError: by nought" in log


def test_memory_that_tensorflow_lacks_is_one_line(call, driver):
    driver.run = raising(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"))
    result = call("vgg16", "--out", "a")
    assert result.code == 2 and "Error: There is not enough memory. Give a smaller" in result.err


def test_a_log_that_cannot_be_written_is_no_reason_to_end(call, driver, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunLog, "_open", full)
    result = call("vgg16", "--out", "a")
    assert result.code == 0 and "Traceback" not in result.err and "Logging" not in result.err


def test_the_log_holds_command_progress_and_warnings(call, driver, tmp_path):
    run = driver.run

    def warned(config, directory, *, observers, **options):
        observers._warn("MLflow failed.")
        return run(config, directory, observers=observers, **options)

    driver.run = warned
    result = call("vgg16", "--out", "a", "--seed", 3)
    assert "Warning: MLflow failed.\n" in result.err
    first, *lines = (tmp_path / "a" / "log.txt").read_text().splitlines()
    assert first.startswith("# keras-prune 0.1.0: ") and first.endswith("vgg16 --out a --seed 3")
    assert lines[0].endswith("WARNING MLflow failed.")
    assert "INFO group conv1  2/2  reward=0.75 kept=10" in lines[-1]


def test_quiet_says_where_the_run_lies_and_nothing_else(call, driver, tmp_path):
    result = call("vgg16", "--quiet", "--out", "a", "--max-steps", 3)
    assert result == type(result)(0, "Run directory: a\n", "")
    assert (tmp_path / "a" / "log.txt").exists()


def test_verbose_shows_what_the_log_says(call, driver):
    import logging

    run = driver.run

    def told(*args, **kwargs):
        logging.getLogger("keras_prune.data").info("opened")
        return run(*args, **kwargs)

    driver.run = told
    assert "opened" not in call("vgg16", "--out", "a").err
    shown = call("vgg16", "--out", "b", "--verbose").err
    assert shown.startswith("opened\n") and shown.count("group conv1  2/2") == 1


def test_debug_shows_where_an_error_came_from(call, driver):
    driver.run = raising(DataError("No data set."))
    shown = call("vgg16", "--debug").err
    assert "Traceback" in shown and shown.endswith("Error: No data set.\n")
    assert "Traceback" in call("inspect", "absent.keras", "--debug").err
    assert "Traceback" not in call("inspect", "absent.keras").err
