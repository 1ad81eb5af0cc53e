"""Groups of one kind: the same layers take part in them in the same roles."""

from collections import Counter

from keras_prune.graph import ChannelGroup

Kind = frozenset[tuple[tuple[str, str, str], int]]
"""How often which class of layer takes part, with which weight, and in which role."""


def kind_of(group: ChannelGroup) -> Kind:
    """What a group has in common with those it can be ranked with.

    Reference: Fang et al., "Isomorphic Pruning for Vision Models", ECCV 2024, section 3.2; there
    the graphs of two groups are compared, here what takes part in them.
    """
    return frozenset(
        Counter(
            (type(b.layer).__name__, b.variable.name, b.role.name)
            for b in (member.binding for member in group.members)
        ).items()
    )
