"""Which weights of a kernel stay or leave together."""

from collections.abc import Iterable
from dataclasses import dataclass

from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude.selection import Kernel


@dataclass(frozen=True)
class Pattern:
    """Single weights, blocks of a matrix, or m zeros in every n weights along the inputs.

    Args:
        block_size: `(rows, columns)` of the blocks of a dense kernel `(inputs, units)`.
        block_pooling: `"AVG"` or `"MAX"`: how the magnitudes in a block become one.
        m_by_n: `(m, n)`: m of every n consecutive input channels' weights are zero.

    Raises:
        ConfigError: a value is out of its range, or both blocks and m-by-n are asked for.
    """

    block_size: tuple[int, int] = (1, 1)
    block_pooling: str = "AVG"
    m_by_n: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not _are_counts(self.block_size):
            raise ConfigError(
                f"Expected block_size=(rows, columns), each at least 1. Received: "
                f"{self.block_size!r}."
            )
        if self.block_pooling not in ("AVG", "MAX"):
            raise ConfigError(
                f"Expected block_pooling 'AVG' or 'MAX'. Received: {self.block_pooling!r}."
            )
        if self.m_by_n is not None:
            self._check_m_by_n()

    def check(self, kernels: Iterable[Kernel]) -> None:
        """Refuses kernels that the pattern cannot divide.

        Args:
            kernels: what is to be pruned.

        Raises:
            ConfigError: blocks on a kernel that is no matrix, or lengths that leave a rest.
        """
        for kernel in kernels:
            if self.m_by_n is not None:
                self._check_inputs(kernel, self.m_by_n[1])
            elif tuple(self.block_size) != (1, 1):
                self._check_blocks(kernel)

    def _check_m_by_n(self) -> None:
        if not _are_counts(self.m_by_n) or self.m_by_n[0] >= self.m_by_n[1]:  # type: ignore[index]
            raise ConfigError(
                f"Expected m_by_n=(m, n) with 1 <= m < n, for example (2, 4). Received: "
                f"{self.m_by_n!r}."
            )
        if tuple(self.block_size) != (1, 1):
            raise ConfigError("Expected block_size or m_by_n, not both.")

    def _check_inputs(self, kernel: Kernel, n: int) -> None:
        shape = kernel.variable.shape
        if len(shape) not in (2, 4) or shape[-2] % n:
            raise ConfigError(
                f"m_by_n needs a dense or 2-D convolution kernel whose input channels are a "
                f"multiple of {n}. Received: {kernel}. Name the layers it fits in layers=."
            )

    def _check_blocks(self, kernel: Kernel) -> None:
        shape = kernel.variable.shape
        fits = len(shape) == 2 and all(
            # TFMOT's engine stumbles over a single row or column of blocks.
            length % side == 0 and length > side
            for length, side in zip(shape, self.block_size, strict=True)
        )
        if not fits:
            raise ConfigError(
                f"Blocks of {tuple(self.block_size)} need a kernel of two axes, each holding two "
                f"blocks or more and no rest. Received: {kernel}. Name the layers they fit in "
                "layers=."
            )


def _are_counts(pair: object) -> bool:
    return (
        isinstance(pair, tuple | list)
        and len(pair) == 2
        and all(isinstance(side, int) and side >= 1 for side in pair)
    )
