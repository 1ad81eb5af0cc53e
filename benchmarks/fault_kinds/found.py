"""What came of faults of one kind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .process import Ended


@dataclass
class Found:
    """What is counted.

    Args:
        kind: of the faults.
        tried: how many.
        lost: after which something was missing, or not what it is without a fault.
        run: that had code of a file's run.
        raw: that ended in anything but one line and the exit code of a mistake: a traceback, a
            crash, no end, an escape sequence on the terminal.
        told: a line for each of these.
    """

    kind: str
    tried: int = 0
    lost: int = 0
    run: int = 0
    raw: int = 0
    told: list[str] = field(default_factory=list)

    def count(self, what: str, *, lost: str = "", run: str = "", raw: str = "") -> None:
        """Counts one fault, and tells what is wrong, if anything is."""
        self.tried += 1
        for name, told in (("lost", lost), ("run", run), ("raw", raw)):
            if told:
                setattr(self, name, getattr(self, name) + 1)
                self.told.append(f"{self.kind}: {what}: {name}: {told[:600]}")


def unclean(ended: Ended, codes: Sequence[int]) -> str:
    """What a user should not see of how a process ended; empty if there is nothing.

    Args:
        ended: how it ended.
        codes: that are right. For each but 0 there is one line that says why, warnings aside.
    """
    said = f"code {ended.code}, {ended.err[-400:]!r}"
    if ended.code not in codes:
        return said
    if "Traceback" in ended.err or re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", _shown(ended)):
        return said
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    return said if ended.code == 2 and len(errors) != 1 else ""


def _shown(ended: Ended) -> str:
    return (ended.out + ended.err).replace("\r", "\n")
