"""A sample of the faults that `benchmarks/faults.py` carries out: nothing lost, run or raw."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "benchmarks" / "faults.py"
SPEC = importlib.util.spec_from_file_location("faults", PATH)
faults = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(faults)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"), [("kills", 4), ("starvations", 5), ("files", 30), ("inputs", 30)]
)
def test_nothing_is_lost_run_or_raw(kind, count, tmp_path):
    carry_out, _ = faults.KINDS[kind]
    found = carry_out(tmp_path, count, 2)
    assert found.tried >= count - 2
    assert not found.told
