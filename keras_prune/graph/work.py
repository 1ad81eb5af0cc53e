"""The work of a call on one example, as the rule of its operation counts it for a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Product, rule_for

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call


def macs(call: Call) -> int:
    """Multiply-accumulates.

    Raises:
        Unsupported: no rule can count them, or nobody knows how many rows an example has.
    """
    return on_all_rows(call, rule_for(call.operation).macs(call))


def products(call: Call) -> list[Product]:
    """The multiply-accumulates by the weights they are done with.

    Raises:
        Unsupported: likewise.
    """
    found = rule_for(call.operation).products(call)
    return [product._replace(macs=on_all_rows(call, product.macs)) for product in found]


def additions(call: Call) -> int:
    """Additions of biases.

    Raises:
        Unsupported: likewise.
    """
    return on_all_rows(call, rule_for(call.operation).additions(call))


def on_all_rows(call: Call, count: int) -> int:
    """What a call does for one example, if it does so much for a row.

    Raises:
        Unsupported: it is not known how many rows an example has.
    """
    if not count:
        return 0
    if call.rows is None:
        raise Unsupported("it is not known how many rows of the batch one example is here")
    return int(call.rows * count)
