"""What decides a run of RNP; the section `prune` of a TOML file mirrors it."""

from dataclasses import dataclass

from keras_prune.criteria.names import CriterionName
from keras_prune.utils.config import expect, expect_counts


@dataclass(frozen=True)
class RNPConfig:
    """How the decisions are learned. A step fine-tunes the backbone and trains the agent.

    Args:
        sets: sets that a layer's channels are split into, `k`; at least 2.
        price: `p`, the reward of computing one more set, below 0.
        alpha: what the classification loss counts in the reward, above 0. Default: so much that
            it is 1 on average under random actions.
        balance: what is added to the price when the trained agent decides; it can be set after.
        criterion: what the channels are ordered by.
        calibration_images: training images that a criterion which needs data is computed on.
        steps: how often backbone and agent are trained in turn.
        episodes: batches of episodes that the agent plays in a step; an image is an episode.
        updates: steps of Q-learning after each batch of episodes.
        learning_rate: of Q-learning, with AdamW.
        gamma: discount of the next decision's value, in [0, 1].
        tau: how far the target network follows in a step, in (0, 1].
        epsilon: probability of a random action at the end of a training, in [0, 1]; it starts at 1
            and falls linearly.
        full: images that the backbone is fine-tuned on at full width, a fraction in [0, 1].
        code: length of the encoders' codes.
        units: units of the recurrent cell.
        curve: the report also holds accuracy over multiplications, for several prices and balances,
            static networks and random actions; this trains several more agents and networks.

    Raises:
        ConfigError: a value is out of range.

    Reference: Lin, Rao, Lu and Zhou, "Runtime Neural Pruning", NeurIPS 2017, section 3.
    """

    sets: int = 4
    price: float = -0.1
    alpha: float | None = None
    balance: float = 0.0
    criterion: CriterionName = "taylor"
    calibration_images: int = 2048
    steps: int = 2
    episodes: int = 100
    updates: int = 8
    learning_rate: float = 1e-3
    gamma: float = 0.999
    tau: float = 0.02
    epsilon: float = 0.1
    full: float = 0.25
    code: int = 64
    units: int = 64
    curve: bool = False

    def __post_init__(self) -> None:
        counts = ("calibration_images", "steps", "episodes", "updates", "code", "units")
        expect_counts(self, *counts)
        expect(self, self.sets >= 2, "sets", "at least 2")
        expect(self, self.price < 0, "price", "below 0, for computing costs")
        expect(self, self.alpha is None or self.alpha > 0, "alpha", "a positive number, or none")
        expect(self, self.learning_rate > 0, "learning_rate", "a positive number")
        expect(self, 0 < self.tau <= 1, "tau", "a number in (0, 1]")
        for name in ("gamma", "epsilon", "full"):
            expect(self, 0 <= getattr(self, name) <= 1, name, "a number in [0, 1]")
