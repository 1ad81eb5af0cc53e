"""When weights are pruned and how many: TFMOT's two schedules as plain data."""

from dataclasses import dataclass

from keras_prune.errors import ConfigError


def check_sparsity(name: str, value: float) -> None:
    """Refuses what is no sparsity.

    Raises:
        ConfigError: the value lies outside [0, 1).
    """
    if not 0 <= value < 1:
        raise ConfigError(
            f"Expected {name} to be a fraction of zero weights in [0, 1). Received: {value}."
        )


@dataclass(frozen=True)
class ConstantSparsity:
    """One sparsity from the start.

    Steps count from 1, the first training batch, as in TFMOT; weights are chosen anew every
    `frequency` steps from `begin_step` to `end_step`.

    Args:
        target_sparsity: fraction of zero weights in each kernel, in [0, 1).
        begin_step: the first step at which weights are chosen.
        end_step: the last one; default -1: until training ends.
        frequency: steps from one choice to the next, default 100.

    Raises:
        ConfigError: a value is out of its range.

    Example:

    >>> ConstantSparsity(0.5, begin_step=0).frequency
    100
    """

    target_sparsity: float
    begin_step: int
    end_step: int = -1
    frequency: int = 100

    def __post_init__(self) -> None:
        check_sparsity("target_sparsity", self.target_sparsity)
        _check_steps(self.begin_step, self.end_step, self.frequency, endless=True)

    @property
    def goal(self) -> float:
        """The sparsity at the end."""
        return self.target_sparsity


@dataclass(frozen=True)
class PolynomialDecay:
    """`final + (initial - final) · (1 - (step - begin) / (end - begin)) ^ power`.

    Steps count as in `ConstantSparsity`.

    Args:
        initial_sparsity: fraction of zero weights in each kernel at `begin_step`, in [0, 1).
        final_sparsity: the same at `end_step`.
        begin_step: the first step at which weights are chosen.
        end_step: the last one; a whole number of `frequency` steps later, or the final sparsity
            is not reached.
        power: the exponent, default 3.
        frequency: steps from one choice to the next, default 100.

    Raises:
        ConfigError: a value is out of its range.

    Example:

    >>> PolynomialDecay(0.0, 0.9, begin_step=0, end_step=1000).power
    3

    Reference: Zhu and Gupta, "To prune, or not to prune", 2017, section 3.
    """

    initial_sparsity: float
    final_sparsity: float
    begin_step: int
    end_step: int
    power: float = 3
    frequency: int = 100

    def __post_init__(self) -> None:
        check_sparsity("initial_sparsity", self.initial_sparsity)
        check_sparsity("final_sparsity", self.final_sparsity)
        _check_steps(self.begin_step, self.end_step, self.frequency, endless=False)
        if not self.power > 0:
            raise ConfigError(f"Expected power to be positive. Received: {self.power}.")

    @property
    def goal(self) -> float:
        """The sparsity at the end."""
        return self.final_sparsity


Schedule = ConstantSparsity | PolynomialDecay


def _check_steps(begin: int, end: int, frequency: int, endless: bool) -> None:
    if begin < 0:
        raise ConfigError(f"Expected begin_step to be 0 or more. Received: {begin}.")
    if end <= begin and not (endless and end in (-1, begin)):
        raise ConfigError(
            f"Expected end_step to be greater than begin_step={begin}"
            f"{', or -1 for no end' if endless else ''}. Received: {end}."
        )
    if frequency < 1:
        raise ConfigError(f"Expected frequency to be at least 1. Received: {frequency}.")
