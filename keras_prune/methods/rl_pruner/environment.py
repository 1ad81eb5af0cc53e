"""Sharing out what is to leave, as an environment: state, action, reward."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_prune.budgets import Budget
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.methods.rl_pruner.allocation import share_out
from keras_prune.plan import PruningPlan

Measure = Callable[[np.ndarray], float]
"""Accuracy in percent under a mask, 1 = keep, over the channels of all groups end to end."""

Step = tuple[np.ndarray, float, bool, bool, dict[str, Any]]


class PruningEnvironment:
    """One network whose channels leave in steps; nothing is rebuilt or trained in between.

    The state is what is left: a fraction of each group's channels, of the MACs and of the
    parameters. An action is a weight per group, from 0: how the channels that must leave to reach
    the next budget are shared out. The reward is

        accuracy (%) + 100 (macs_weight · MACs removed + params_weight · parameters removed)

    with both as fractions. `reset` and `step` return what those of a `gymnasium.Env` do.

    Args:
        graph: the network's graph.
        scores: of every channel, higher = keep.
        budgets: what may stay after each step, each tighter than the one before.
        measure: accuracy under a mask.
        macs_weight: see above.
        params_weight: see above.

    Attributes:
        groups: the names of the groups, in the order of an action's weights.
    """

    def __init__(
        self,
        graph: ChannelGraph,
        scores: Mapping[str, np.ndarray],
        budgets: Sequence[Budget],
        measure: Measure,
        *,
        macs_weight: float = 0.0,
        params_weight: float = 0.0,
    ) -> None:
        self.graph = graph
        self.groups = tuple(graph.groups)
        self._scores, self._budgets, self._measure = scores, budgets, measure
        self._weights = macs_weight, params_weight
        costs = CutCosts(graph)
        self._costs = costs.macs, costs.parameters
        self._whole = costs.macs({}), costs.parameters({})
        self.reset()

    def reset(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Brings all channels back. Returns the state and no more to say."""
        self._kept = {name: np.ones(g.channels, bool) for name, g in self.graph.groups.items()}
        self._taken = 0
        return self._state(), {}

    def step(self, action: np.ndarray) -> Step:
        """Lets channels leave until the next budget is met.

        Args:
            action: weights from 0, shape `(groups,)`.

        Returns:
            The state; the reward; whether that was the last budget; False, for nothing is cut
            short; and the `accuracy` in percent, the fractions of `macs` and `params` that are
            left, and the `plan` so far.
        """
        plan = self._plan(np.asarray(action, float))
        for name, channels in plan.kept.items():
            self._kept[name] = np.isin(np.arange(len(self._kept[name])), channels)
        self._taken += 1
        accuracy = self._measure(np.concatenate(list(self._kept.values())).astype("float32"))
        macs, params = self._left()
        by_macs, by_params = self._weights
        reward = accuracy + 100 * (by_macs * (1 - macs) + by_params * (1 - params))
        told = {"accuracy": accuracy, "macs": macs, "params": params, "plan": plan}
        return self._state(), reward, self._taken == len(self._budgets), False, told

    def gymnasium(self) -> Any:
        """This environment as a `gymnasium.Env`, for any other agent.

        Raises:
            ConfigError: gymnasium is not installed.
        """
        try:
            from keras_prune.methods.rl_pruner.gym import GymPruning
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"A gymnasium.Env needs {error.name}, which is not installed: "
                "pip install 'keras-prune[gymnasium]'."
            ) from error
        return GymPruning(self)

    def plan(self, action: np.ndarray) -> PruningPlan:
        """What the first step of an episode drops by an action."""
        self.reset()
        return self._plan(np.asarray(action, float))

    def _plan(self, shares: np.ndarray) -> PruningPlan:
        gone = {name: ~kept for name, kept in self._kept.items()}
        budget = self._budgets[self._taken]
        return share_out(budget, self.graph, self._scores, shares, gone)

    def _state(self) -> np.ndarray:
        channels = [kept.mean() for kept in self._kept.values()]
        return np.array([*channels, *self._left()], "float32")

    def _left(self) -> tuple[float, float]:
        """The fractions of MACs and parameters that are left."""
        pairs = zip(self._costs, self._whole, strict=True)
        macs, params = (cost(self._kept) / whole for cost, whole in pairs)
        return macs, params
