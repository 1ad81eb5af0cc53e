"""Prunes random networks at random and compares each with its silenced twin, until told to stop.

    python benchmarks/random_networks.py --networks 2500 --seed 0

Networks are drawn as the property test draws them; a seed's are always the same.
"""

import argparse
import sys
import time
from pathlib import Path

import keras
from hypothesis import given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests

from tests.surgery.test_random_networks import FAST, check

PART = 125
"""Networks of one seed; after each the count is told."""


def main() -> None:
    """Ends with the first network that is pruned wrongly, or costs other than is counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0, help="of the first part of 125")
    parser.add_argument("--blocks", type=int, default=12, help="the most in a network")
    options = parser.parse_args()
    drawn, started = 0, time.monotonic()
    for seed in range(options.seed, options.seed - (-options.networks // PART)):

        @seeded(seed)
        @settings(FAST, derandomize=False, max_examples=PART)
        @given(st.data())
        def holds(data: st.DataObject) -> None:
            nonlocal drawn
            check(data, options.blocks)
            drawn += 1

        holds()
        keras.backend.clear_session()
        seconds = time.monotonic() - started
        print(f"seed {seed}: {drawn} networks are exact, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
