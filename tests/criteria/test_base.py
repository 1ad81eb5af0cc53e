"""What holds for every criterion."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune import criteria
from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense, examples, two_readers


@pytest.mark.parametrize("name", ["l1", "l2", "fpgm", "lamp", "random"])
def test_the_model_is_not_touched_and_data_not_needed(name):
    model = two_readers()
    before = model.get_weights()
    found = criteria.get(name)(ChannelGraph(model))
    assert {group: (x.shape, x.dtype) for group, x in found.items()} == {
        "a": ((4,), "float64"), "b": ((3,), "float64"), "c": ((2,), "float64"),
    }  # fmt: skip
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_without_groups_says_why():
    model = keras.Sequential([keras.Input((2,)), kl.Dense(3, name="only")])
    with pytest.raises(ModelError, match="no prunable channels.*a model output"):
        criteria.get("l1")(ChannelGraph(model))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["l1", "fpgm", "lamp", "taylor", "taylor_weight"])
def test_scores_that_are_nan_name_the_group(name):
    model = dense()
    kernel = np.array(model.get_layer("head").kernel)
    kernel[1, 0] = np.nan
    model.get_layer("head").kernel.assign(kernel)
    with pytest.raises(ModelError, match=rf"'{name}' gives .* not finite for group 'hidden'"):
        criteria.get(name)(ChannelGraph(model), examples(model))
