"""Criteria by name."""

from collections.abc import Callable, Mapping
from typing import Any

from keras_prune.criteria.activation import Activation
from keras_prune.criteria.apoz import APoZ
from keras_prune.criteria.base import Criterion, Scores
from keras_prune.criteria.bn_scale import BNScale
from keras_prune.criteria.combined import Combined
from keras_prune.criteria.cosine import Cosine
from keras_prune.criteria.fisher import Fisher
from keras_prune.criteria.fpgm import FPGM
from keras_prune.criteria.hessian import Hessian
from keras_prune.criteria.l1 import L1
from keras_prune.criteria.l2 import L2
from keras_prune.criteria.lamp import LAMP
from keras_prune.criteria.random import Random
from keras_prune.criteria.taylor import Taylor
from keras_prune.criteria.taylor_weight import TaylorWeight
from keras_prune.errors import ConfigError, unknown
from keras_prune.utils import config

_CRITERIA: dict[str, type[Criterion]] = {
    criterion.name: criterion
    for criterion in (
        L1, L2, BNScale, FPGM, Cosine, LAMP, Random, Taylor, Fisher, Hessian, TaylorWeight,
        Activation, APoZ, Combined,
    )
}  # fmt: skip


def available() -> tuple[str, ...]:
    """The names that `get` knows.

    Example:

    >>> available()[:3]
    ('l1', 'l2', 'bn_scale')
    """
    return tuple(_CRITERIA)


def get(identifier: Any) -> Callable[..., Scores]:
    """A criterion by name, by configuration, or as it is.

    Args:
        identifier: one of `available()`; a dict `{"class_name": name, "config": arguments}`; or a
            criterion, which may be any function `(graph, data) -> {group: scores}`.

    Returns:
        A function `(graph, data=None) -> {group: (channels,)}`, higher = keep.

    Raises:
        ConfigError: no criterion has that name, or an argument is unknown or wrong.

    Example:

    >>> get("l1")
    L1(reduction='mean', consumers=True)
    >>> get({"class_name": "random", "config": {"seed": 3}})
    Random(seed=3)
    """
    if callable(identifier) and not isinstance(identifier, type):
        return identifier
    name, arguments = identifier, {}
    if isinstance(identifier, Mapping):
        name, arguments = identifier.get("class_name"), identifier.get("config", {})
    if not isinstance(name, str):
        raise ConfigError(
            "Expected a criterion: a name, a dict with 'class_name' and 'config', or a function "
            f"of a graph and data. Received: {identifier!r}."
        )
    if name not in _CRITERIA:
        raise ConfigError(unknown("criterion", name, _CRITERIA))
    return config.load(_CRITERIA[name], arguments, f"criterion {name}")
