"""Running Python by itself, as a user does who imports nothing beforehand."""

import subprocess
import sys
from collections.abc import Callable

import pytest


@pytest.fixture
def elsewhere() -> Callable[[str], str]:
    def run(code: str) -> str:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.strip()

    return run
