"""The reward: how much is left of what may be lost, times how much was removed."""

import math

_WORST = -1.0
"""`psi` of a drop of `2 b` and beyond. The paper lets it fall without bound, and a single network
that collapsed to chance then outweighs all other samples of an update."""


def reward(drop: float, b: float, kept: int, channels: int) -> float:
    """`R = psi * phi` of Huang et al. (2018), section 3.

    `psi = (b - drop) / b`, not below -1, and `phi = log(channels / kept)`.

    Args:
        drop: by how much the objective is worse under the action, in the objective's own units
            (percentage points for accuracies); one that is no number counts as the worst.
        b: tolerated drop, likewise.
        kept: channels the action keeps, at least 1.
        channels: channels of the group.

    Example:

    >>> reward(drop=0.5, b=1.0, kept=50, channels=100) == 0.5 * math.log(2)
    True
    """
    psi = max(_WORST, (b - drop) / b)  # in this order: nothing compares with NaN
    return psi * math.log(channels / kept)
