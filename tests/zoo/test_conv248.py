"""Conv248."""

from keras_prune import zoo


def test_layers_have_the_published_parameters():
    model = zoo.conv248()
    counts = [
        model.get_layer(name).count_params() for name in ("conv1", "conv2", "conv3", "logits")
    ]
    assert counts == [20, 76, 296, 62_730]
