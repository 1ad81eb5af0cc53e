"""Sorting a layer's channels by importance, so that the first sets carry most."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from keras_prune.graph import ChannelGraph, ChannelGroup, Member
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune_graph


def ordered(graph: ChannelGraph, scores: Mapping[str, np.ndarray]) -> keras.Model:
    """A copy of the model whose channels stand in the order of their scores, highest first.

    The copy computes what the model computes: the channels only change places.

    Args:
        graph: the walked model.
        scores: group -> a score for each channel; groups left out stay as they are.
    """
    copy = prune_graph(graph, PruningPlan.for_graph(graph, {}))
    moved = ChannelGraph(copy, graph.admit_norms)
    for name, values in scores.items():
        _sort(moved.groups[name], np.argsort(-np.asarray(values), kind="stable"))
    return copy


def _sort(group: ChannelGroup, order: np.ndarray) -> None:
    for member in group.members:
        variable = member.binding.variable
        places = _places(member, order)
        values = keras.ops.convert_to_numpy(variable)
        variable.assign(np.take(values, places, axis=member.binding.axis))


def _places(member: Member, order: np.ndarray) -> np.ndarray:
    """For each position of a weight's axis the old position whose values it takes."""
    places = np.arange(len(member.owner))
    own = np.flatnonzero(member.owner >= 0)
    by_channel = own[np.argsort(member.owner[own], kind="stable")].reshape(len(order), -1)
    places[by_channel] = by_channel[order]
    return places
