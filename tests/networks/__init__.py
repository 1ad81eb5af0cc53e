"""Small networks with all that channels can meet, and what the walk must find in them."""

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

__all__ = ["NETWORKS", "Network", "behind", "conv", "head", "image", "network"]

FAMILIES = (
    attention, barriers, calls, chains, convolutions, joins, layouts, own_weights, recurrent,
    sequences, shapes, slices,
)  # fmt: skip
