"""What every command has: `--quiet`, `--verbose`, `--debug`, and options made when needed."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from .output import Output


class Command(click.Command):
    """A command whose first options are made of configuration classes, when they are needed.

    Args:
        arguments: as `click.Command` takes them.
        made: returns further options; they go before the others. Default: there are none.
        more: as `click.Command` takes them.
    """

    def __init__(
        self, *arguments: Any, made: Callable[[], Sequence[click.Parameter]] = tuple, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        self.params += [_flag(name, text) for name, text in _FLAGS.items()]
        self._made: Callable[[], Sequence[click.Parameter]] | None = made

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """All arguments and options."""
        if self._made is not None:
            self.params[:0] = self._made()
            self._made = None
        return super().get_params(ctx)


command = partial(click.command, cls=Command)
"""The decorator of every command."""

_FLAGS = {
    "quiet": "No progress: only errors, what was asked for, and where a run lies.",
    "verbose": "Progress as lines, with all that the log says.",
    "debug": "Show where an error came from.",
}


def _flag(name: str, text: str) -> click.Option:
    def keep(context: click.Context, _: click.Parameter, chosen: bool) -> None:
        setattr(context.find_root().ensure_object(Output), name, chosen)

    return click.Option(
        [f"--{name}"], is_flag=True, expose_value=False, is_eager=True, callback=keep, help=text
    )
