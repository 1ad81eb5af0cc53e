"""Runs that are really killed: two of each kind; `benchmarks/kills.py` does more."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "benchmarks" / "kills.py"
SPEC = importlib.util.spec_from_file_location("kills", PATH)
kills = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(kills)


@pytest.mark.slow
@pytest.mark.parametrize("name", kills.NAMES)
def test_a_killed_run_ends_like_an_unbroken_one(name, tmp_path):
    found = kills.kill_and_resume(name, 2, tmp_path, seed=1)
    assert found.kills == 2
    assert not found.differences
