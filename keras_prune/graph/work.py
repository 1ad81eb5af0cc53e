"""The work of a call on one example, as the rule of its operation counts it for a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_prune.graph.rules.base import Product, rule_for

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call


def macs(call: Call) -> int:
    """Multiply-accumulates.

    Raises:
        Unsupported: no rule can count them.
    """
    return int(call.rows * rule_for(call.operation).macs(call))


def products(call: Call) -> list[Product]:
    """The multiply-accumulates by the weights they are done with.

    Raises:
        Unsupported: no rule can count them.
    """
    found = rule_for(call.operation).products(call)
    return [product._replace(macs=int(call.rows * product.macs)) for product in found]


def additions(call: Call) -> int:
    """Additions of biases."""
    return int(call.rows * rule_for(call.operation).additions(call))
