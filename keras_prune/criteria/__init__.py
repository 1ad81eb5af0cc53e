"""Which channels matter: a graph in, one score per channel out, higher = keep."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.criteria.activation import Activation
    from keras_prune.criteria.apoz import APoZ
    from keras_prune.criteria.base import Criterion, Scores
    from keras_prune.criteria.bn_scale import BNScale
    from keras_prune.criteria.catalogue import available, get
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

__all__ = [
    "FPGM",
    "L1",
    "L2",
    "LAMP",
    "APoZ",
    "Activation",
    "BNScale",
    "Combined",
    "Cosine",
    "Criterion",
    "Fisher",
    "Hessian",
    "Random",
    "Scores",
    "Taylor",
    "TaylorWeight",
    "available",
    "get",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "APoZ": ".apoz",
        "Activation": ".activation",
        "BNScale": ".bn_scale",
        "Combined": ".combined",
        "Cosine": ".cosine",
        "Criterion": ".base",
        "FPGM": ".fpgm",
        "Fisher": ".fisher",
        "Hessian": ".hessian",
        "L1": ".l1",
        "L2": ".l2",
        "LAMP": ".lamp",
        "Random": ".random",
        "Scores": ".base",
        "Taylor": ".taylor",
        "TaylorWeight": ".taylor_weight",
        "available": ".catalogue",
        "get": ".catalogue",
    },
)
