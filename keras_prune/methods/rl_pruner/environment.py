"""Sharing out what is to leave, as an environment: state, action, reward."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_prune import criteria
from keras_prune.budgets import Budget
from keras_prune.data import Splits
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.methods.rl_pruner.allocation import share_out
from keras_prune.methods.rl_pruner.feasibility import check
from keras_prune.plan import PruningPlan
from keras_prune.rollouts import Evaluator, evaluator
from keras_prune.training import Objective, Task
from keras_prune.training.trainer import as_task

Step = tuple[np.ndarray, float, bool, bool, dict[str, Any]]

Kept = dict[str, np.ndarray]
"""Group -> bool `(channels,)`, True for what is left."""


class PruningEnvironment:
    """One network whose channels leave in steps; nothing is rebuilt or trained in between.

    The state is what is left: a fraction of each group's channels, of the MACs and of the
    parameters. An action is a weight per group, from 0: how the channels that must leave to reach
    the next budget are shared out. The reward is

        gain + 100 (macs_weight · MACs removed + params_weight · parameters removed)

    with both as fractions, and the objective as a gain (an accuracy in percent; negative where less
    is better). `reset` and `step` return what those of a `gymnasium.Env` do.

    Args:
        graph: the network's graph.
        scores: of every channel, higher = keep.
        budgets: what may stay after each step, each tighter than the one before.
        evaluator: measures masks over the channels of all groups end to end.
        objective: what it measures; default an accuracy.
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
        evaluator: Evaluator,
        *,
        objective: Objective | None = None,
        macs_weight: float = 0.0,
        params_weight: float = 0.0,
    ) -> None:
        self.graph = graph
        self.groups = tuple(graph.groups)
        self._scores, self._budgets, self._evaluator = scores, budgets, evaluator
        self._objective = objective or Objective("accuracy")
        self._weights = macs_weight, params_weight
        costs = CutCosts(graph)
        self._costs = costs.macs, costs.parameters
        self._whole = costs.macs({}), costs.parameters({})
        self.reset()

    def reset(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Brings all channels back. Returns the state and no more to say."""
        self._kept, self._taken = self._all(), 0
        return self._state(self._kept), {}

    def step(self, action: np.ndarray) -> Step:
        """Lets channels leave until the next budget is met.

        Args:
            action: weights from 0, shape `(groups,)`.

        Returns:
            The state; the reward; whether that was the last budget; False, for nothing is cut
            short; and the objective's `value`, the fractions of `macs` and `params` that are left,
            and the `plan` so far.
        """
        plan = self._plan(np.asarray(action, float), self._kept, self._taken)
        self._kept = _left(plan, self._kept)
        self._taken += 1
        value = float(self._evaluator.evaluate(_mask(self._kept)[None])[0])
        macs, params = self._fractions(self._kept)
        told = {"value": value, "macs": macs, "params": params, "plan": plan}
        reward = self._reward(value, self._kept)
        return self._state(self._kept), reward, self._taken == len(self._budgets), False, told

    def returns(
        self,
        actions: np.ndarray,
        discount: float = 1.0,
        follow: Callable[[int, int], np.ndarray] | None = None,
    ) -> np.ndarray:
        """What episodes that begin with some actions are worth, all measured together.

        A return is the mean of an episode's rewards, weighted by `discount ** depth`, so that it
        stays in units of the objective.

        Args:
            actions: weights from 0, shape `(n, groups)`.
            discount: of a reward against the one before.
            follow: `(episode, depth) -> action` of the steps after the first; needed where there
                are several budgets.

        Returns:
            float64 `(n,)`.
        """
        episodes = [self._all() for _ in actions]
        total, weights = np.zeros(len(actions)), 0.0
        for depth in range(len(self._budgets)):
            for number, kept in enumerate(episodes):
                action = actions[number] if depth == 0 or not follow else follow(number, depth)
                episodes[number] = _left(self._plan(np.asarray(action), kept, depth), kept)
            values = self._evaluator.evaluate(np.stack([_mask(kept) for kept in episodes]))
            rewards = [self._reward(v, k) for v, k in zip(values.tolist(), episodes, strict=True)]
            total += discount**depth * np.array(rewards)
            weights += discount**depth
        return total / weights

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
        return self._plan(np.asarray(action, float), self._all(), 0)

    def _plan(self, shares: np.ndarray, kept: Kept, taken: int) -> PruningPlan:
        gone = {name: ~stays for name, stays in kept.items()}
        return share_out(self._budgets[taken], self.graph, self._scores, shares, gone)

    def _all(self) -> Kept:
        return {name: np.ones(group.channels, bool) for name, group in self.graph.groups.items()}

    def _reward(self, value: float, kept: Kept) -> float:
        macs, params = self._fractions(kept)
        by_macs, by_params = self._weights
        removed = by_macs * (1 - macs) + by_params * (1 - params)
        return self._objective.gain(value) + 100 * removed

    def _state(self, kept: Kept) -> np.ndarray:
        channels = [stays.mean() for stays in kept.values()]
        return np.array([*channels, *self._fractions(kept)], "float32")

    def _fractions(self, kept: Kept) -> tuple[float, float]:
        """The fractions of MACs and parameters that are left."""
        pairs = zip(self._costs, self._whole, strict=True)
        macs, params = (cost(kept) / whole for cost, whole in pairs)
        return macs, params


def pruning_environment(
    graph: ChannelGraph,
    budgets: Sequence[Budget],
    task: Task | Splits,
    *,
    reward_images: int | None = 500,
    criterion: Any = "taylor",
    calibration_images: int = 500,
    precision: str = "float32",
    macs_weight: float = 0.0,
    params_weight: float = 0.0,
) -> PruningEnvironment:
    """The environment of a real network, for an agent of one's own.

    Scores are computed once, values by one compiled function.

    Args:
        graph: the walked network.
        budgets: what may stay after each step, for example `kp.Budget(macs=0.5).steps(4, graph)`.
        task: whose validation data and objective make the rewards.
        reward_images: validation examples a reward is measured on; None: all.
        criterion: which of a group's channels leave first, as `criteria.get` takes it.
        calibration_images: training examples, for a criterion that looks at any.
        precision: of the rollouts, `"float32"` or `"mixed_bfloat16"`.
        macs_weight: see `PruningEnvironment`.
        params_weight: likewise.

    Raises:
        ModelError: fewer than two groups can lose channels.
        ConfigError: the last budget is met already, or can never be.
        DataError: the task has no such data.
    """
    check(budgets[-1], graph)
    bound = as_task(task, graph.model)
    inputs, labels, _ = bound.examples("train", calibration_images)
    measure = evaluator(
        graph, list(graph.groups.values()), bound, bound.examples("validation", reward_images),
        precision=precision,
    )  # fmt: skip
    return PruningEnvironment(
        graph,
        criteria.get(criterion)(graph, (inputs, labels)),
        budgets,
        measure,
        objective=bound.objective,
        macs_weight=macs_weight,
        params_weight=params_weight,
    )


def _left(plan: PruningPlan, kept: Kept) -> Kept:
    return {
        name: np.isin(np.arange(len(stays)), plan.kept[name]) if name in plan.kept else stays
        for name, stays in kept.items()
    }


def _mask(kept: Kept) -> np.ndarray:
    return np.concatenate(list(kept.values())).astype("float32")
