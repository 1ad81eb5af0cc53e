"""Something for each pixel: segmentation, depth, resolution, points, boxes."""

import keras
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import conv_norm, example, serializable


@example({"entry": 6, "a_one": 8, "a_two": 8, "up_1_one": 8, "up_1_two": 8, "up_2_one": 6,
          "up_2_two": 6})  # fmt: skip
def unet_of_pets():
    """Xception-like down, transposed convolutions up, sums beside."""
    i = keras.Input((16, 16, 3))
    x = before = conv_norm(i, 6, "entry", strides=2)
    x = kl.SeparableConv2D(8, 3, padding="same", name="a_one")(kl.Activation("relu")(x))
    x = kl.Activation("relu")(kl.BatchNormalization()(x))
    x = kl.BatchNormalization()(kl.SeparableConv2D(8, 3, padding="same", name="a_two")(x))
    x = kl.MaxPooling2D(3, strides=2, padding="same")(x)
    x = before = kl.add([x, kl.Conv2D(8, 1, strides=2, padding="same")(before)])
    for name, filters in (("up_1", 8), ("up_2", 6)):
        for part in ("one", "two"):
            x = kl.Activation("relu")(x)
            x = kl.Conv2DTranspose(filters, 3, padding="same", name=f"{name}_{part}")(x)
            x = kl.BatchNormalization()(x)
        x = kl.UpSampling2D(2)(x)
        beside = kl.Conv2D(filters, 1, padding="same")(kl.UpSampling2D(2)(before))
        x = before = kl.add([x, beside])
    masks = kl.Conv2D(3, 3, activation="softmax", padding="same", name="masks")(x)
    return keras.Model(i, masks)


@example({"down_1_a": 4, "down_1_b": 4, "down_2_a": 8, "down_2_b": 8, "deep_a": 12, "deep_b": 12,
          "up_2": 8, "up_2_a": 8, "up_2_b": 8, "up_1": 4, "up_1_a": 4, "up_1_b": 4})  # fmt: skip
def unet_with_concatenations():
    def twice(x, filters, name):
        for part in "ab":
            x = kl.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_{part}")(x)
        return x

    i = keras.Input((16, 16, 3))
    first = twice(i, 4, "down_1")
    second = twice(kl.Dropout(0.3)(kl.MaxPool2D(2)(first)), 8, "down_2")
    x = twice(kl.Dropout(0.3)(kl.MaxPool2D(2)(second)), 12, "deep")
    for name, filters, beside in (("up_2", 8, second), ("up_1", 4, first)):
        x = kl.Conv2DTranspose(filters, 3, 2, padding="same", name=name)(x)
        x = twice(kl.Dropout(0.3)(kl.concatenate([x, beside])), filters, name)
    return keras.Model(i, kl.Conv2D(3, 1, padding="same", activation="softmax")(x))


@example({"stem": 6, "deep": 10, "pool": 7, "rate_1": 7, "rate_2": 7, "rate_4": 7, "aspp": 7,
          "low": 5, "joint_1": 8, "joint_2": 8})  # fmt: skip
def deeplab_v3_plus():
    """Convolutions at several rates and a pooled one, side by side."""
    i = keras.Input((16, 16, 3))
    low = conv_norm(i, 6, "stem", strides=2)
    x = conv_norm(low, 10, "deep", strides=2)
    side = x.shape[-3]
    pooled = kl.AveragePooling2D(pool_size=(side, side))(x)
    pooled = conv_norm(pooled, 7, "pool", 1, use_bias=True)
    pooled = kl.UpSampling2D(size=(side, side), interpolation="bilinear")(pooled)
    rates = [conv_norm(x, 7, f"rate_{n}", 3, dilation_rate=n) for n in (1, 2, 4)]
    x = conv_norm(kl.Concatenate(axis=-1)([pooled, *rates]), 7, "aspp", 1)
    a = kl.UpSampling2D(2, interpolation="bilinear")(x)
    x = kl.Concatenate(axis=-1)([a, conv_norm(low, 5, "low", 1)])
    x = conv_norm(conv_norm(x, 8, "joint_1"), 8, "joint_2")
    x = kl.UpSampling2D(2, interpolation="bilinear")(x)
    return keras.Model(i, kl.Conv2D(4, 1, padding="same", name="masks")(x))


def sub_pixels(x, factor):
    """Channels become rows and columns."""
    _, height, width, depth = x.shape
    depth = depth // factor**2
    x = ops.reshape(x, (-1, height, width, factor, factor, depth))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, height * factor, width * factor, depth))


@example({"conv_1": 8, "conv_2": 8, "conv_3": 6})
def super_resolution():
    """The last convolution's channels are pixels of the output."""
    x = i = keras.Input((12, 12, 1))
    options = {"activation": "relu", "kernel_initializer": "orthogonal", "padding": "same"}
    for number, (filters, size) in enumerate(((8, 5), (8, 3), (6, 3)), 1):
        x = kl.Conv2D(filters, size, name=f"conv_{number}", **options)(x)
    return keras.Model(i, sub_pixels(kl.Conv2D(9, 3, name="pixels", **options)(x), 3))


@example({"first": 8, "block_0": 8, "block_1": 8, "up_1": 8})
def deep_super_resolution():
    """EDSR: residual blocks, and steps of depth to space in between."""
    i = keras.Input((8, 8, 3))
    x = first = kl.Conv2D(8, 3, padding="same", name="first")(kl.Rescaling(1.0 / 255)(i))
    for number in range(2):
        y = kl.Conv2D(8, 3, padding="same", activation="relu", name=f"block_{number}")(x)
        x = kl.Add()([x, kl.Conv2D(8, 3, padding="same")(y)])
    x = kl.Add()([kl.Conv2D(8, 3, padding="same")(x), first])
    x = ops.depth_to_space(kl.Conv2D(8 * 4, 3, padding="same", name="up_1")(x), 2)
    x = kl.Conv2D(3, 3, padding="same", name="output")(x)
    return keras.Model(i, kl.Rescaling(255)(x))


@example({"down_1": 8, "down_2": 6, "up_1": 6, "up_2": 8})
def convolutional_autoencoder():
    x = i = keras.Input((16, 16, 1))
    for number, filters in enumerate((8, 6), 1):
        x = kl.Conv2D(filters, 3, activation="relu", padding="same", name=f"down_{number}")(x)
        x = kl.MaxPooling2D(2, padding="same")(x)
    for number, filters in enumerate((6, 8), 1):
        x = kl.Conv2DTranspose(
            filters, 3, strides=2, activation="relu", padding="same", name=f"up_{number}"
        )(x)  # fmt: skip
    return keras.Model(i, kl.Conv2D(1, 3, activation="sigmoid", padding="same")(x))


@serializable
class Down(kl.Layer):
    """Two convolutions with what the first one makes beside, then half the size."""

    def __init__(self, filters, **options):
        super().__init__(**options)
        self.filters = filters
        self.conv_a = kl.Conv2D(filters, 3, padding="same", name="a")
        self.conv_b = kl.Conv2D(filters, 3, padding="same", name="b")
        self.relu_a, self.relu_b = kl.LeakyReLU(0.2), kl.LeakyReLU(0.2)
        self.norm_a, self.norm_b = kl.BatchNormalization(), kl.BatchNormalization()
        self.pool = kl.MaxPool2D(2)

    def call(self, tensor):
        d = self.conv_a(tensor)
        x = self.relu_a(self.norm_a(d))
        x = self.relu_b(self.norm_b(self.conv_b(x))) + d
        return x, self.pool(x)

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


@serializable
class Up(kl.Layer):
    """Twice the size, what was beside, two convolutions."""

    def __init__(self, filters, **options):
        super().__init__(**options)
        self.filters = filters
        self.up = kl.UpSampling2D(2)
        self.conv_a = kl.Conv2D(filters, 3, padding="same", name="a")
        self.conv_b = kl.Conv2D(filters, 3, padding="same", name="b")
        self.relu_a, self.relu_b = kl.LeakyReLU(0.2), kl.LeakyReLU(0.2)
        self.norm_a, self.norm_b = kl.BatchNormalization(), kl.BatchNormalization()
        self.join = kl.Concatenate()

    def call(self, x, skip):
        x = self.join([self.up(x), skip])
        x = self.relu_a(self.norm_a(self.conv_a(x)))
        return self.relu_b(self.norm_b(self.conv_b(x)))

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


@serializable
class DepthEstimation(keras.Model):
    """A model of blocks, written as a class."""

    def __init__(self, **options):
        super().__init__(**options)
        self.downs = [Down(n, name=f"down_{n}") for n in (4, 6)]
        self.middle = [kl.Conv2D(8, 3, padding="same", name=f"middle_{n}") for n in (1, 2)]
        self.relus = [kl.LeakyReLU(0.2), kl.LeakyReLU(0.2)]
        self.ups = [Up(n, name=f"up_{n}") for n in (6, 4)]
        self.head = kl.Conv2D(1, 1, padding="same", activation="tanh", name="depth")

    def call(self, x):
        beside = []
        for down in self.downs:
            c, x = down(x)
            beside.append(c)
        for conv, relu in zip(self.middle, self.relus, strict=True):
            x = relu(conv(x))
        for up, c in zip(self.ups, reversed(beside), strict=True):
            x = up(x, c)
        return self.head(x)


@example({"down_4_a": 4, "down_6_a": 6, "middle_1": 8, "middle_2": 8, "up_6_a": 6, "up_6_b": 6,
          "up_4_a": 4, "up_4_b": 4})  # fmt: skip
def depth_estimation():
    model = DepthEstimation(name="depth_estimation")
    model(keras.random.normal((2, 16, 16, 3)))
    return model


@serializable
class FeaturePyramid(kl.Layer):
    """Maps of several sizes, the deeper ones added to those above."""

    def __init__(self, backbone, **options):
        super().__init__(**options)
        self.backbone = backbone
        self.flat = [kl.Conv2D(8, 1, padding="same", name=f"flat_{n}") for n in (3, 4, 5)]
        self.smooth = [kl.Conv2D(8, 3, padding="same", name=f"smooth_{n}") for n in (3, 4, 5)]
        self.down_6 = kl.Conv2D(8, 3, 2, padding="same", name="down_6")
        self.up = kl.UpSampling2D(2)

    def call(self, images, training=False):
        maps = self.backbone(images, training=training)
        p3, p4, p5 = (conv(c) for conv, c in zip(self.flat, maps, strict=True))
        p4 = p4 + self.up(p5)
        p3 = p3 + self.up(p4)
        p3, p4, p5 = (conv(p) for conv, p in zip(self.smooth, (p3, p4, p5), strict=True))
        return p3, p4, p5, self.down_6(maps[-1])

    def get_config(self):
        return super().get_config() | {"backbone": self.backbone}


def shared_head(outputs, name):
    """The same layers for each map."""
    return keras.Sequential([
        keras.Input((None, None, 8)),
        kl.Conv2D(6, 3, padding="same", name=f"{name}_1"), kl.ReLU(),
        kl.Conv2D(6, 3, padding="same", name=f"{name}_2"), kl.ReLU(),
        kl.Conv2D(outputs, 3, padding="same"),
    ], name=name)  # fmt: skip


@serializable
class RetinaNet(keras.Model):
    """Boxes and classes for each place of each map, in one row."""

    def __init__(self, **options):
        super().__init__(**options)
        i = keras.Input((32, 32, 3))
        c3 = conv_norm(conv_norm(i, 4, "c2", strides=2), 5, "c3", strides=2)
        c4 = conv_norm(c3, 6, "c4", strides=2)
        c5 = conv_norm(c4, 7, "c5", strides=2)
        backbone = keras.Model(i, [c3, c4, c5], name="backbone")
        self.pyramid = FeaturePyramid(backbone, name="pyramid")
        self.classes, self.boxes = shared_head(3 * 2, "classes"), shared_head(4 * 2, "boxes")

    def call(self, images, training=False):
        maps = self.pyramid(images, training=training)
        batch = ops.shape(images)[0]
        classes = [ops.reshape(self.classes(p), (batch, -1, 3)) for p in maps]
        boxes = [ops.reshape(self.boxes(p), (batch, -1, 4)) for p in maps]
        return ops.concatenate(
            [ops.concatenate(boxes, axis=1), ops.concatenate(classes, axis=1)], axis=-1
        )


@example({"c2": 4, "c3": 5, "c4": 6, "c5": 7, "flat_3": 8, "smooth_3": 8, "classes_1": 6,
          "classes_2": 6, "boxes_1": 6, "boxes_2": 6})  # fmt: skip
def retina_net():
    model = RetinaNet(name="retina_net")
    model(keras.random.normal((2, 32, 32, 3)))
    return model


@example({"stem": 6, "deep": 8, "head": 10})
def keypoints():
    """Coordinates, made by separable convolutions on a nested backbone."""
    i = keras.Input((16, 16, 3))
    backbone_in = keras.Input((16, 16, 3))
    y = conv_norm(conv_norm(backbone_in, 6, "stem", strides=2), 8, "deep", strides=2)
    backbone = keras.Model(backbone_in, y, name="backbone")
    x = kl.Dropout(0.3)(backbone(kl.Rescaling(1 / 127.5, offset=-1)(i)))
    x = kl.SeparableConv2D(10, kernel_size=2, strides=1, activation="relu", name="head")(x)
    x = kl.SeparableConv2D(10, kernel_size=3, strides=1, activation="sigmoid")(x)
    return keras.Model(i, x)


@example(
    {"stem": 6, "deep_1": 6, "squeezed": 3, "attended": 4},
    stays={"mean": "statistic", "max": "statistic"},
)
def attention_of_channels_and_places():
    """MIRNet: two branches chosen between by softmax; channel and spatial attention."""
    i = keras.Input((12, 12, 3))
    x = kl.Conv2D(6, 3, padding="same", name="stem")(i)
    one = kl.Conv2D(6, 3, padding="same", activation="relu", name="deep_1")(x)
    two = kl.Conv2D(6, 3, padding="same", activation="relu", name="deep_2")(x)
    pooled = kl.GlobalAveragePooling2D()(kl.Add()([one, two]))
    pooled = kl.Reshape((1, 1, 6))(pooled)
    small = kl.Conv2D(3, 1, activation="relu", name="squeezed")(pooled)
    weights = [kl.Conv2D(6, 1)(small) for _ in range(2)]
    stacked = kl.Softmax(axis=-1)(ops.stack(weights, axis=-1))
    y = one * stacked[..., 0] + two * stacked[..., 1]
    y = kl.Conv2D(6, 3, padding="same", activation="relu", name="fused")(y)
    means, tops = ops.mean(y, axis=-1, keepdims=True), ops.max(y, axis=-1, keepdims=True)
    gate = kl.Conv2D(1, 1, activation="sigmoid")(kl.Concatenate()([means, tops]))
    z = kl.Conv2D(4, 1, activation="relu", name="attended")(y * gate)
    return keras.Model(i, kl.Conv2D(3, 3, padding="same", name="output")(z))


@example({"conv_0": 6, "conv_1": 6, "conv_2": 6})
def low_light():
    """Zero-DCE: curves of light for each pixel, applied again and again."""
    i = keras.Input((12, 12, 3))
    convs, x = [], i
    for number in range(3):
        x = kl.Conv2D(6, 3, activation="relu", padding="same", name=f"conv_{number}")(x)
        convs.append(x)
    x = kl.Concatenate(axis=-1)([convs[0], convs[2]])
    curves = kl.Conv2D(9, 3, activation="tanh", padding="same", name="curves")(x)
    light = i
    for number in range(0, 9, 3):
        light = light + curves[..., number : number + 3] * (ops.square(light) - light)
    return keras.Model(i, light)


@example({"conv_1": 6, "conv_2": 8, "wide": 10, "lstm_1/forward": 8, "lstm_2/forward": 6})
def captcha_reader():
    """Columns of an image as a sequence; with the loss left out."""
    i = keras.Input((24, 12, 1), name="image")
    options = {"activation": "relu", "kernel_initializer": "he_normal", "padding": "same"}
    x = kl.MaxPooling2D()(kl.Conv2D(6, 3, name="conv_1", **options)(i))
    x = kl.MaxPooling2D()(kl.Conv2D(8, 3, name="conv_2", **options)(x))
    x = kl.Reshape(target_shape=(6, 3 * 8), name="reshape")(x)
    x = kl.Dropout(0.2)(kl.Dense(10, activation="relu", name="wide")(x))
    x = kl.Bidirectional(kl.LSTM(8, return_sequences=True), name="lstm_1")(x)
    x = kl.Bidirectional(kl.LSTM(6, return_sequences=True), name="lstm_2")(x)
    return keras.Model(i, kl.Dense(11, activation="softmax", name="letters")(x))


@example({"layer_0": 12, "layer_1": 12, "layer_2": 12})
def radiance_field():
    """NeRF: points of rays, their places seen again half way."""
    x = i = keras.Input((16, 9))
    for number in range(3):
        x = kl.Dense(12, activation="relu", name=f"layer_{number}")(x)
        if number == 1:
            x = kl.concatenate([x, i], axis=-1)
    return keras.Model(i, kl.Dense(4, name="colour")(x))
