"""The contract of a rule, and the table that finds the rule of an operation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import keras
import numpy as np

from keras_prune.errors import ConfigError
from keras_prune.graph.bindings import Unsupported

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


class Product(NamedTuple):
    """Multiply-accumulates of one call that are done with the same weights.

    Args:
        macs: how many.
        weights: what is multiplied with, each number equally often; none where two tensors meet.
    """

    macs: int
    weights: tuple[Any, ...] = ()


class Rule:
    """All the package knows about one family of operations.

    A rule holds no state: what it finds goes into the walk, what it needs comes from the call.
    """

    free_weights: ClassVar[bool] = False
    """Whether weights may stay unbound because no channel of theirs can leave."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        """Binds the call's weights and returns the labels of its outputs.

        Raises:
            Unsupported: the rule cannot vouch for this call; it becomes a barrier.
        """
        raise NotImplementedError

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        """The operation's config with its sizes counted again after a cut."""
        return config

    def replay(self, call: Call, operation: Any, args: Any, kwargs: Any, cut: Cut) -> Any:
        """Makes the call once more in the smaller model.

        A rule whose calls hold constants with one value per channel cuts them here.

        Args:
            call: the call of the original.
            operation: the rebuilt operation.
            args: the call's arguments, with the tensors of the smaller model in their places.
            kwargs: likewise its keyword arguments.
            cut: what stays.
        """
        return operation(*args, **kwargs)

    def macs(self, call: Call) -> int:
        """Multiply-accumulates of one call on one example.

        They are also counted for smaller calls that were never built, so sizes must be read from
        the shapes of the call's tensors and of the operation's weights, not from its config.

        Raises:
            Unsupported: the rule cannot count the work.
        """
        return 0

    def products(self, call: Call) -> list[Product]:
        """The multiply-accumulates by the weights they are done with; default: all but the bias."""
        layer: Any = call.operation
        bias = getattr(layer, "bias", None)
        weights = tuple(w for w in getattr(layer, "weights", ()) if w is not bias)
        return [Product(self.macs(call), weights)]

    def additions(self, call: Call) -> int:
        """Additions of a bias on one example: one for each output element, if there is a bias."""
        has_bias = isinstance(getattr(call.operation, "bias", None), keras.Variable)
        return sum(size(tensor) for tensor in call.outputs) if has_bias else 0


class ProductsRule(Rule):
    """Counts its work as the sum of its products, which a subclass lists."""

    def macs(self, call: Call) -> int:
        return sum(product.macs for product in self.products(call))


class BarrierRule(ProductsRule):
    """Lets no channel leave; its work is counted all the same."""

    free_weights = True

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        raise Unsupported(_no_rule(call.operation))

    def products(self, call: Call) -> list[Product]:
        return []


class UnknownRule(BarrierRule):
    """The rule of everything that has none: a barrier with a reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        raise Unsupported(self._reason)

    def products(self, call: Call) -> list[Product]:
        raise Unsupported(self._reason)


R = TypeVar("R", bound=type[Rule])

# Methods a subclass may replace: they make or describe a layer, `call` does not run them.
_DESCRIPTIVE = {
    "__init__", "build", "compute_output_shape", "compute_output_spec", "get_config",
}  # fmt: skip

_LAYERS: dict[type, Rule] = {}
_NAMED: dict[str, Rule] = {}


def register(*operations: type | str) -> Callable[[R], R]:
    """Registers a rule for layer classes (and their subclasses) and for operations by name.

    A subclass that overrides `call`, or a method that `call` may run, is not covered by its
    parent's rule: it may do anything. By name only Keras' own operations are found: an op by that
    of its class, a layer that Keras does not export by those of module and class.

    Args:
        operations: layer classes, or names of Keras' own operations, such as `"Relu"`.

    Returns:
        A decorator for a subclass of `Rule`, which it returns.

    Raises:
        ConfigError: something else was given.

    Example:

    >>> class Doubled(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> @register(Doubled)
    ... class DoubledRule(Rule):
    ...     def label(self, call, walk):
    ...         return [walk.of(call.inputs[0])]
    >>> type(rule_for(Doubled())).__name__
    'DoubledRule'
    """
    for operation in operations:
        if not isinstance(operation, str) and not _is_class(operation, keras.Layer):
            raise ConfigError(
                f"A rule is registered for layer classes and names of ops. Received: {operation!r}."
            )

    def decorate(rule: R) -> R:
        if not _is_class(rule, Rule):
            raise ConfigError(f"Expected a subclass of keras_prune.graph.Rule. Received: {rule!r}.")
        for operation in operations:
            if isinstance(operation, str):
                _NAMED[operation] = rule()
            else:
                _LAYERS[operation] = rule()
        return rule

    return decorate


def _is_class(value: object, parent: type) -> bool:
    return isinstance(value, type) and issubclass(value, parent)


def rule_for(operation: keras.Operation) -> Rule:
    """The rule of an operation; one that makes it a barrier where none is registered."""
    kind = operation.__class__  # that of what is smaller, too, which stands for another
    if not isinstance(operation, keras.Layer):
        own = _NAMED.get(kind.__name__) if kind.__module__.startswith("keras.") else None
        return own or UnknownRule(_no_rule(operation))
    for parent in kind.__mro__:
        if parent in _LAYERS:
            method = _overridden(kind, parent)
            if method:
                return UnknownRule(f"{kind.__name__} overrides {parent.__name__}.{method}")
            return _LAYERS[parent]
    unknown = UnknownRule(_no_rule(operation))
    return _NAMED.get(f"{kind.__module__}.{kind.__name__}", unknown)


def rule_of_class(kind: type[keras.Layer]) -> Rule | None:
    """The rule that is registered for a layer class itself."""
    return _LAYERS.get(kind)


def named_rules() -> dict[str, Rule]:
    """The rules of what is found by its name: Keras' ops, and layers that it does not export."""
    return dict(_NAMED)


def has_rule(operation: keras.Operation) -> bool:
    """Whether a rule is registered that channels pass by."""
    return not isinstance(rule_for(operation), BarrierRule)


def size(tensor: Any) -> int:
    """How many numbers a tensor holds for one example."""
    return math.prod(tensor.shape[1:])


def _no_rule(operation: Any) -> str:
    what = "layer" if isinstance(operation, keras.Layer) else "op"
    return f"no rule for the {what} {type(operation).__name__}"


def _overridden(kind: type, parent: type) -> str | None:
    """A method or property of the parent that a subclass replaces and a call may run."""
    for child in kind.__mro__[: kind.__mro__.index(parent)]:
        for name, value in vars(child).items():
            runs = callable(value) or isinstance(value, property)
            if runs and hasattr(parent, name) and name not in _DESCRIPTIVE:
                return name
    return None
