"""Reference networks, untrained: pixel values 0-255 in, logits out."""

from keras_prune.zoo.catalogue import available, build, default_input_shape, get
from keras_prune.zoo.conv248 import conv248
from keras_prune.zoo.lenet5 import lenet5
from keras_prune.zoo.lenet5_caffe import lenet5_caffe
from keras_prune.zoo.lenet300_100 import lenet300_100
from keras_prune.zoo.vgg16 import vgg16

__all__ = [
    "available",
    "build",
    "conv248",
    "default_input_shape",
    "get",
    "lenet5",
    "lenet5_caffe",
    "lenet300_100",
    "vgg16",
]
