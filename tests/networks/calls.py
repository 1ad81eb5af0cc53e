"""Layers and models that are shared, nested, with several inputs and outputs."""

import keras
from keras import layers as kl

from tests.networks.base import conv, head, image, network


@network({"a": 8})
def layers_called_twice():
    i, shared, norm = image(), conv(8, "b"), kl.BatchNormalization()
    x = norm(shared(kl.ReLU()(norm(conv(8, "a")(i)))))
    return keras.Model(i, head(kl.ReLU()(norm(shared(x)))))


@network({"a": 5, "b": 8})
def siamese():
    left, right = image(), image()
    shared = keras.Sequential([conv(5, "a"), kl.ReLU(), conv(8, "b")], name="tower")
    return keras.Model([left, right], head(kl.Subtract()([shared(left), shared(right)])))


def inner_block(filters: int, name: str) -> keras.Model:
    i = image(8)
    x = kl.ReLU()(kl.BatchNormalization()(conv(filters, "inner")(i)))
    return keras.Model(i, [conv(8, "out")(x), i], name=name)


@network({"stem": 8, "inner": 6})
def nested():
    i = image()
    out, same = inner_block(6, "block")(kl.ReLU()(conv(8, "stem")(i)))
    return keras.Model(i, head(kl.Add()([out, same])))


@network({"stem": 8, "inner": 6})
def nested_called_twice():
    i = image()
    block = inner_block(6, "block")
    first, _ = block(conv(8, "stem")(i))
    second, same = block(kl.ReLU()(first))
    return keras.Model(i, head(kl.Concatenate()([second, same])))


@network({"stem": 8, "one/inner": 6, "two/inner": 5, "out": 8})
def nested_with_equal_names():
    i = image()
    x, same = inner_block(6, "one")(conv(8, "stem")(i))
    x, _ = inner_block(5, "two")(kl.Add()([x, same]))
    return keras.Model(i, head(x))


@network({"a": 8, "b": 6, "c": 5, "last": 4})
def nested_twice_deep():
    i = image()
    inside = keras.Sequential([conv(6, "b"), kl.BatchNormalization()], name="inside")
    outside = keras.Sequential([inside, kl.ReLU(), conv(5, "c")], name="outside")
    x = conv(4, "last")(outside(conv(8, "a")(i)))
    return keras.Model(i, head(x))


@network({"a": 8, "c": 4}, barriers=["inner"])
def nested_of_unknown_size():
    i = keras.Input((5,))
    j = keras.Input((None, 1))
    inner = keras.Model(j, kl.Conv1D(4, 1, name="c")(j), name="inner")
    x = inner(kl.Reshape((8, 1))(kl.Dense(8, name="b")(i)))
    return keras.Model(i, kl.Dense(2)(kl.Flatten()(x)) + kl.Dense(2)(kl.Dense(8, name="a")(i)))


@network({"a": 8, "b": 6, "z": 3, "y": 5})
def nested_called_with_names():
    two, one = keras.Input((6, 6, 3), name="two"), keras.Input((6, 6, 5), name="one")
    inner = keras.Model([two, one], kl.Concatenate()([conv(8, "a")(two), conv(6, "b")(one)]))
    i = image()
    return keras.Model(i, head(inner({"one": conv(5, "y")(i), "two": conv(3, "z")(i)})))


@network({"a": 8, "b": 6, "c": 5})
def several_inputs_and_outputs():
    one, two = keras.Input((6, 6, 3), name="one"), keras.Input((7,), name="two")
    x = kl.GlobalAveragePooling2D()(kl.BatchNormalization()(conv(8, "a")(one)))
    y = kl.Dense(6, activation="relu", name="b")(two)
    z = kl.Dense(5, name="c")(kl.Concatenate()([x, y]))
    return keras.Model([two, one], [kl.Dense(2)(z), kl.Dense(3)(x)])


@network({"a": 8, "b": 6})
def inputs_and_outputs_by_name():
    one, two = keras.Input((3,), name="one"), keras.Input((7,), name="two")
    x, y = kl.Dense(8, name="a")(one), kl.Dense(6, name="b")(two)
    ends = {"late": kl.Dense(2)(kl.Concatenate()([y, x])), "early": kl.Dense(3)(x)}
    return keras.Model({"two": two, "one": one}, ends)


@network({"a": 8})
def output_in_the_middle():
    i = image()
    x = conv(6, "b")(conv(8, "a")(i))
    return keras.Model(i, [x, head(kl.ReLU()(x))])


def middle_and_outer() -> tuple[keras.Model, keras.Model]:
    j = image(8)
    inner = keras.Sequential([image(8), conv(6, "deep"), kl.ReLU(), conv(8, "out")], name="inner")
    middle = keras.Model(j, kl.Add()([j, inner(j)]), name="middle")
    k = image(8)
    return middle, keras.Model(k, kl.Concatenate()([middle(k), k]), name="outer")


@network({"stem": 8, "deep": 6, "c": 5})
def nested_three_deep_called_twice():
    i, (_, outer) = image(), middle_and_outer()
    x = conv(8, "stem")(i)
    both = kl.Concatenate()([outer(x), outer(kl.ReLU()(x))])
    return keras.Model(i, head(conv(5, "c")(both)))


@network({"stem": 8, "deep": 6, "c": 5})
def nested_at_two_depths():
    i, (middle, outer) = image(), middle_and_outer()
    x = conv(8, "stem")(i)
    return keras.Model(i, head(conv(5, "c")(outer(kl.ReLU()(middle(x))))))


@network({"a": 8, "b": 6})
def dictionaries_into_nested_models():
    one, two = (keras.Input((6, 6, 3), name=name) for name in ("left", "right"))
    inner = keras.Model(
        {"left": one, "right": two},
        {"sum": conv(8, "a")(one) + conv(8, "c")(two), "right": two},
        name="inner",
    )
    i = image()
    first = inner({"right": i, "left": kl.ReLU()(i)})
    second = inner({"left": i, "right": first["right"]})
    return keras.Model(i, head(conv(6, "b")(first["sum"] - second["sum"])))


@network({"a": 8, "b": 8})
def nested_on_the_same_input():
    """A model made of the very input of the model around it."""
    i = image(8)
    inner = keras.Model(i, kl.Conv2D(8, 3, padding="same", name="b")(kl.ReLU()(i)))
    outer = keras.Model(i, kl.Concatenate()([inner(i), i]))
    return keras.Model(j := image(), head(outer(conv(8, "a")(j))))


@network({"b": 8, "c": 6})
def nested_behind_a_layer_on_the_same_input():
    """What the inner model sees as its input is not what the outer one does."""
    i = image(8)
    inner = keras.Model(i, kl.Conv2D(6, 3, padding="same", name="c")(i))
    x = inner(conv(8, "b")(i))
    return keras.Model(i, head(kl.Concatenate()([x, i])))


@network({"b": 8})
def nested_on_the_same_layers():
    """What the outer model computes itself the inner one computes of something else, twice."""
    i = image(8)
    x = kl.ReLU()(i)
    inner = keras.Model(x, kl.BatchNormalization()(x))
    y = kl.Concatenate()([inner(conv(8, "a")(i)), x, inner(conv(8, "b")(x))])
    return keras.Model(i, head(y))
