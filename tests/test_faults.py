"""A sample of the faults that `benchmarks/faults.py` carries out: nothing lost, run or raw."""

import pytest

from tests.scripts import script

faults = script("faults")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"), [("kills", 4), ("starvations", 5), ("files", 30), ("inputs", 30)]
)
def test_nothing_is_lost_run_or_raw(kind, count, tmp_path):
    carry_out, _ = faults.KINDS[kind]
    found = carry_out(tmp_path, count, 2)
    assert found.tried >= count - 2
    assert not found.told
