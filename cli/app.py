"""The `keras-prune` command and its one error boundary."""

import os
import signal
import sys
import traceback
from typing import Any

import click

from keras_prune.errors import KerasPruneError
from keras_prune.utils.reasons import is_out_of_memory, reason

from .benchmark import benchmark
from .cache import cache
from .compare import compare
from .evaluate import evaluate
from .export import export
from .inspect import inspect
from .output import Output, say
from .predict import predict
from .profile import profile
from .prune import prune
from .recipes import RECIPES, recipe_command
from .run import run
from .sensitivity import sensitivity
from .streams import lasting_streams
from .train import train

VERBS = (
    train, prune, evaluate, predict, inspect, profile, compare, export, benchmark, sensitivity, run,
    cache,
)  # fmt: skip


class _Grouped(click.Group):
    """A group whose help lists recipes and verbs apart, each in an order of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in (
            ("Recipes, end to end", list(RECIPES)),
            ("Verbs, for a model of yours", [str(verb.name) for verb in VERBS]),
        ):
            rows = [(name, self.commands[name].get_short_help_str(limit=150)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows, col_max=20)


@click.group(cls=_Grouped, invoke_without_command=True)
@click.version_option(package_name="keras-prune", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Structured pruning for Keras 3.

    A recipe prunes a network end to end with one line, for example

    \b
        keras-prune vgg16 --b 1.0 --dataset digits

    A verb works on a model of your own, for example

    \b
        keras-prune train lenet5 --dataset photos/ --out run
        keras-prune prune run/model.keras --dataset photos/ --macs 0.5 --out small
        keras-prune export small/pruned.keras --out model.tflite
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (*map(recipe_command, RECIPES), *VERBS):
    app.add_command(_command)


def main() -> None:
    """Runs the command line: a user's mistake is one line on stderr and exit code 2."""
    # Before TensorFlow is imported: even its error level is noise (a missing GPU), for what goes
    # wrong also raises.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with lasting_streams():
        _run()


def _run() -> None:
    output = Output()
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with output.shown():
            code = app.main(prog_name="keras-prune", standalone_mode=False, obj=output)
            sys.stdout.flush()  # a result that cannot be written is an error
            sys.exit(code)
    except KerasPruneError as error:
        _fail(f"Error: {error}", 2, output)
    except click.Abort as stop:  # what click makes of Ctrl-C, or a run's own `Interrupted`
        _fail(str(stop) or "Interrupted. Nothing was written.", 130, output)
    except click.ClickException as error:
        _fail(f"Error: {error.format_message()}", error.exit_code, output)
    except OSError as error:  # disks that are full, names that are too long, ...
        _fail(f"Error: {_starved(error)}", 2, output)
    except UnicodeEncodeError as error:  # half a character, or a stray byte of a file's name
        near = error.object[max(0, error.start - 40) : error.end]
        _fail(f"Error: {near!r} ends in what is no {error.encoding}: rename it.", 2, output)
    except Exception as error:
        if is_out_of_memory(error):
            _fail(f"Error: {_NO_MEMORY}", 2, output)
        _fail(f"Error: {_fault(error)}", 1, output)
    finally:
        signal.signal(signal.SIGTERM, before)


_NO_MEMORY = "There is not enough memory. Give a smaller --batch-size, or a smaller model."


def _starved(error: OSError) -> str:
    """What the system has not, and for what."""
    files = [str(name) for name in (error.filename, error.filename2) if name is not None]
    what = ": ".join([error.strerror or str(error), *files])
    return f"{what}. What was written before stays."


def _fault(error: Exception) -> str:
    """What is said of an error that nobody has foreseen."""
    return (
        f"{type(error).__name__}: {reason(error)}. This is a fault of keras-prune, not yours: "
        "please report it with what --debug shows."
    )


def _interrupt(*_: Any) -> None:
    """A request to end is answered as Ctrl-C is."""
    raise KeyboardInterrupt


def _fail(line: str, code: int, output: Output) -> None:
    if output.debug:
        say(*traceback.format_exc().splitlines(), err=True)
    say(" ".join(line.split()), err=True)
    sys.exit(code)
