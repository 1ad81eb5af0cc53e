"""Networks by name."""

import pytest

from keras_prune import zoo
from keras_prune.errors import ModelError


@pytest.mark.slow
def test_every_name_builds_on_its_default_input():
    for name in zoo.available():
        shape = zoo.default_input_shape(name)
        model = zoo.build(name, shape, 5)
        assert model.name == name
        assert model.input_shape == (None, *shape)
        assert model.output_shape == (None, 5)


def test_default_inputs():
    assert zoo.default_input_shape("vgg16") == (32, 32, 3)
    assert zoo.default_input_shape("lenet5") == (28, 28, 1)


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(ModelError, match="Did you mean .vgg1[69]."):
        zoo.get("vgg17")


def test_a_network_needs_classes():
    with pytest.raises(ModelError, match="num_classes=0"):
        zoo.build("lenet5", (28, 28, 1), 0)
