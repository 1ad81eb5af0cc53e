"""The criteria's names, for configurations that are read before anything heavy is imported."""

from typing import Literal

CriterionName = Literal[
    "l1", "l2", "bn_scale", "fpgm", "cosine", "lamp", "random", "taylor", "fisher", "hessian",
    "taylor_weight", "activation", "apoz", "combined",
]  # fmt: skip
