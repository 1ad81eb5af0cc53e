"""What a watcher shows on a terminal and elsewhere."""

import io

import click
import pytest
from rich.console import Console
from rich.progress import Progress as RichProgress

from keras_prune.cli import progress
from keras_prune.cli.progress import Bars, Lines
from keras_prune.utils.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when told to."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_come_at_the_end_of_a_stage_and_now_and_then(clock):
    out: list[str] = []
    lines = Lines(out.append)
    for done in range(1, 5):
        lines(Progress("prune conv1", done, 4, {"reward": 0.12345, "kept": 32}))
        clock[0] += 10
    assert out == [
        "prune conv1  3/4  reward=0.1235 kept=32  elapsed 0:00:20  remaining 0:00:07",
        "prune conv1  4/4  reward=0.1235 kept=32  elapsed 0:00:30",
    ]


def test_the_same_stage_can_run_again(clock):
    out: list[str] = []
    lines = Lines(out.append)
    for _ in range(2):
        lines(Progress("evaluate", 0, 1))
        clock[0] += 5
        lines(Progress("evaluate", 1, 1))
    assert out == ["evaluate  1/1  elapsed 0:00:05"] * 2


def test_bars_show_running_stages_and_leave_a_line_for_finished_ones():
    out = io.StringIO()
    with RichProgress(console=Console(file=out, width=200), auto_refresh=False) as bars:
        watcher = Bars(bars)
        watcher(Progress("groups", 1, 13))
        watcher(Progress("prune conv2", 3, 40, {"reward": 0.5}))
        running = {task.description: (task.completed, task.total) for task in bars.tasks}
        assert running == {"groups": (1, 13), "prune conv2": (3, 40)}
        assert bars.tasks[1].fields["metrics"] == "reward=0.5"
        watcher(Progress("prune conv2", 40, 40, {"reward": 0.75}))
        assert [task.description for task in bars.tasks] == ["groups"]
    assert "prune conv2  reward=0.75  0:00:00" in out.getvalue()


def test_without_a_terminal_the_lines_go_to_stderr(capsys):
    with click.Context(click.Command("c")), progress.display() as watcher:
        watcher(Progress("train", 2, 2))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "train  2/2  elapsed 0:00:00\n")
