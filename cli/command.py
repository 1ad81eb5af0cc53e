"""What every command has: `--quiet`, `--debug`, `--import`, ..., and options made when needed."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from keras_prune.utils.own_modules import import_modules

from .output import Output
from .starting import quietly


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
        self.params.append(_imports())
        self._made: Callable[[], Sequence[click.Parameter]] | None = made

    def invoke(self, ctx: click.Context) -> Any:
        """Imports the user's modules, and carries the command out."""
        if names := ctx.meta.get(_IMPORTS):
            with quietly(start=False):
                import_modules(names)
        return super().invoke(ctx)

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


_IMPORTS = "keras_prune.imports"


def _imports() -> click.Option:
    def keep(context: click.Context, _: click.Parameter, names: tuple[str, ...]) -> None:
        context.meta[_IMPORTS] = names

    return click.Option(
        ["--import"],
        multiple=True,
        metavar="MODULE",
        expose_value=False,
        callback=keep,
        help="A module or .py file that defines layers of yours; it is run.",
    )


def _flag(name: str, text: str) -> click.Option:
    def keep(context: click.Context, _: click.Parameter, chosen: bool) -> None:
        setattr(context.find_root().ensure_object(Output), name, chosen)

    return click.Option(
        [f"--{name}"], is_flag=True, expose_value=False, is_eager=True, callback=keep, help=text
    )
