"""Runs that are really killed: two of each kind; `benchmarks/kills.py` does more."""

import pytest

from tests.scripts import script

kills = script("kills")


@pytest.mark.slow
@pytest.mark.parametrize("name", kills.NAMES)
def test_a_killed_run_ends_like_an_unbroken_one(name, tmp_path):
    found = kills.kill_and_resume(name, 2, tmp_path, seed=1)
    assert found.kills == 2
    assert not found.differences
