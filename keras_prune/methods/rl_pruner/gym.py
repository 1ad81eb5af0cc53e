"""The same environment for any agent that knows Gymnasium. Needs the extra `[gymnasium]`."""

from typing import Any

import gymnasium
import numpy as np

from keras_prune.methods.rl_pruner.environment import PruningEnvironment, Step


class GymPruning(gymnasium.Env[np.ndarray, np.ndarray]):
    """A `PruningEnvironment` as a `gymnasium.Env`, with its spaces.

    Observations are float32 in [0, 1], shape `(groups + 2,)`; actions are weights in [0, 1], shape
    `(groups,)`. An episode ends when the last budget is met. Nothing here is random.

    Args:
        environment: what is searched, as `pruning_environment` makes it.

    Example:

    >>> import keras
    >>> import keras_prune as kp
    >>> from keras_prune.methods.rl_pruner import pruning_environment
    >>> layers = keras.layers
    >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(9),
    ...     layers.Dense(9), layers.Dense(2)])
    >>> data = np.ones((4, 8, 8, 3), "float32"), np.zeros(4, int)
    >>> graph, task = kp.ChannelGraph(model), kp.Task(data, validation=data)
    >>> budgets = kp.Budget(macs=0.5).steps(2, graph)
    >>> env = GymPruning(pruning_environment(graph, budgets, task, criterion="l1"))
    >>> state, _ = env.reset(seed=0)
    >>> state.tolist()
    [1.0, 1.0, 1.0, 1.0]
    >>> state, reward, terminated, truncated, told = env.step(env.action_space.sample())
    >>> terminated
    False
    """

    def __init__(self, environment: PruningEnvironment) -> None:
        self.environment = environment
        groups = len(environment.groups)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (groups + 2,), np.float32)
        self.action_space = gymnasium.spaces.Box(0.0, 1.0, (groups,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Brings all channels back."""
        super().reset(seed=seed)
        return self.environment.reset()

    def step(self, action: np.ndarray) -> Step:
        """Lets channels leave until the next budget is met."""
        return self.environment.step(action)
