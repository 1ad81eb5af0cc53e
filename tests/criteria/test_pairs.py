"""Criteria that compare all channels with all others do it in parts."""

import numpy as np
import pytest

from keras_prune.criteria import FPGM, Cosine, weights
from keras_prune.criteria.weights import parts_of_pairs


@pytest.mark.parametrize("channels", [1, 2, 7, 50, 101])
def test_every_channel_is_in_one_part(channels, monkeypatch):
    monkeypatch.setattr(weights, "_PAIRS", 100)
    parts = list(parts_of_pairs(channels))
    assert np.concatenate([np.arange(channels)[part] for part in parts]).tolist() == [
        *range(channels)
    ]
    assert all((part.stop - part.start) * channels <= max(100, channels) for part in parts)


@pytest.mark.parametrize("criterion", [FPGM(), Cosine()])
@pytest.mark.parametrize("pairs", [1, 60, 10**6])
def test_scores_do_not_depend_on_the_parts(criterion, pairs, monkeypatch):
    slices = np.random.default_rng(0).normal(size=(23, 9)).astype("float32")
    slices[5] = slices[11]
    slices[7] = 0
    whole = criterion.measure(slices)
    monkeypatch.setattr(weights, "_PAIRS", pairs)
    np.testing.assert_allclose(criterion.measure(slices), whole, rtol=1e-6, atol=1e-6)


def test_distances_are_those_of_the_definition():
    slices = np.random.default_rng(1).normal(size=(8, 3))
    apart = np.linalg.norm(slices[:, None] - slices, axis=-1)
    np.testing.assert_allclose(FPGM().measure(slices), apart.sum(axis=1))
