"""Scores by chance are the same by chance."""

import numpy as np

from keras_prune.criteria import Random
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import two_readers


def test_the_seed_decides():
    graph = ChannelGraph(two_readers())
    one, same, other = Random(3)(graph), Random(3)(graph), Random(4)(graph)
    for name in graph.groups:
        np.testing.assert_array_equal(one[name], same[name])
        assert (one[name] != other[name]).all()
    assert len({*np.concatenate([*one.values()]).tolist()}) == 9
