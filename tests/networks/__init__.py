"""Small networks with all that channels can meet, and what the walk must find in them."""

import pytest

from tests.networks import (
    attention,
    barriers,
    calls,
    chains,
    convolutions,
    joins,
    layouts,
    own_weights,
    recurrent,
    sequences,
    shapes,
    slices,
)
from tests.networks.base import NETWORKS, Network, behind, conv, head, image, network

__all__ = ["NETWORKS", "Network", "behind", "conv", "head", "image", "network", "sampled"]

FAMILIES = (
    attention, barriers, calls, chains, convolutions, joins, layouts, own_weights, recurrent,
    sequences, shapes, slices,
)  # fmt: skip


def sampled() -> list:
    """All networks as parameters of a test that is slow, but for every fourth of them."""
    return [
        pytest.param(name, marks=pytest.mark.slow if number % 4 else (), id=name)
        for number, name in enumerate(NETWORKS)
    ]
