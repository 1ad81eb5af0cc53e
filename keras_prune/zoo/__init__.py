"""Reference networks, untrained: pixel values 0-255 in, logits out."""

from keras_prune.zoo.catalogue import available, build, default_input_shape, get
from keras_prune.zoo.conv4 import conv4, conv4_cifar
from keras_prune.zoo.conv248 import conv248
from keras_prune.zoo.densenet40 import densenet40
from keras_prune.zoo.googlenet_cifar import googlenet_cifar
from keras_prune.zoo.lenet5 import lenet5
from keras_prune.zoo.lenet5_caffe import lenet5_caffe
from keras_prune.zoo.lenet300_100 import lenet300_100
from keras_prune.zoo.mobilenet_v2_cifar import mobilenet_v2_cifar
from keras_prune.zoo.resnet import resnet20, resnet56, resnet110
from keras_prune.zoo.resnext29 import resnext29
from keras_prune.zoo.vgg16 import vgg16
from keras_prune.zoo.vgg19 import vgg19

__all__ = [
    "available",
    "build",
    "conv4",
    "conv4_cifar",
    "conv248",
    "default_input_shape",
    "densenet40",
    "get",
    "googlenet_cifar",
    "lenet5",
    "lenet5_caffe",
    "lenet300_100",
    "mobilenet_v2_cifar",
    "resnet20",
    "resnet56",
    "resnet110",
    "resnext29",
    "vgg16",
    "vgg19",
]
