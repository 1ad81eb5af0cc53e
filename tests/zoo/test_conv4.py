"""Conv4."""

import pytest

from keras_prune import profile, zoo


def test_layers_have_the_published_multiplications():
    costs = profile(zoo.conv4(), convention="rnp")
    macs = {row.name: row.macs for row in costs.layers if row.macs}
    assert macs == {"conv1": 451_584, "conv2": 57_802_752, "conv3": 57_802_752, "conv4": 14_450_688}
    assert costs.total.macs == 130_507_776


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_it_takes_other_images(shape):
    assert zoo.conv4(shape, 7).output_shape == (None, 7)


def test_the_network_for_colour_images_has_the_stated_costs():
    model = zoo.conv4_cifar()
    assert profile(model, convention="rnp").total.macs == 19_759_104
