"""Several criteria joined."""

import keras
import numpy as np
import pytest

from keras_prune import criteria
from keras_prune.criteria import L1, Combined, Cosine, Taylor
from keras_prune.errors import ConfigError, DataError
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense, examples, squares, two_readers


def test_each_counts_by_its_mean_over_the_group():
    graph = ChannelGraph(dense())
    one, other = L1()(graph)["hidden"], Cosine()(graph)["hidden"]
    found = Combined(("l1", "cosine"), (1.0, 0.5))(graph)["hidden"]
    np.testing.assert_allclose(found, one / one.mean() + 0.5 * other / other.mean())


@pytest.mark.tensorflow
def test_the_loss_reaches_those_that_look_at_one():
    model = dense()
    told = Combined(("l1", "taylor")).with_loss(squares)
    assert Combined(("l1", "taylor")).wants_loss and not told.wants_loss
    assert told.criteria[1] == Taylor(loss=squares)
    assert told(ChannelGraph(model), examples(model))["hidden"].shape == (3,)


def test_data_that_are_used_up_by_the_first_are_refused():
    with pytest.raises(DataError, match="read once for each criterion"):
        Combined(("taylor", "fisher"))(ChannelGraph(dense()), iter([examples(dense())]))


def test_what_one_cannot_score_has_no_score():
    graph = ChannelGraph(two_readers())
    found = Combined(("l1", "bn_scale"))(graph)
    assert set(found) == set(criteria.BNScale()(graph))
    assert found.unscored.keys() == graph.groups.keys() - found.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((),), "Expected criteria"),
        ((("l3",),), "Unknown criterion 'l3'"),
        (((lambda graph, data: {},),), "Expected criteria"),
        ((("l1", "l2"), (1.0,)), "for each of 2 criteria"),
        ((("l1", "l2"), (1.0, 0.0)), "a number above 0"),
        ((("l1", "l2"), ("a", "b")), "a number above 0"),
        ((("l1", "l2"), (1.0, float("nan"))), "a number above 0"),
        (("l1",), "Expected criteria"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Combined(*arguments)


def test_a_criterion_of_a_configuration():
    config = {"criteria": ["l1", {"class_name": "taylor", "config": {"batch_size": 8}}]}
    found = criteria.get({"class_name": "combined", "config": config})
    assert found == Combined((L1(), Taylor(batch_size=8)))
    assert keras.tree.flatten(found.get_config()["weights"]) == [None]
