"""The `keras-prune` command and its one error boundary."""

import os
import sys

import click

from keras_prune.errors import KerasPruneError

from .benchmark import benchmark
from .compare import compare
from .evaluate import evaluate
from .export import export
from .inspect import inspect
from .lenet import lenet5, lenet300_100
from .predict import predict
from .profile import profile
from .prune import prune
from .rl_pruner import rl_pruner
from .rnp import rnp
from .run import run
from .sensitivity import sensitivity
from .taylor import taylor
from .train import train
from .vgg16 import vgg16


@click.group(invoke_without_command=True)
@click.version_option(package_name="keras-prune", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Structured pruning for Keras 3.

    A recipe prunes a network end to end with one line, for example

        keras-prune vgg16 --b 1.0 --dataset digits

    A verb works on a model of your own, for example

        keras-prune train lenet5 --dataset photos/ --out run
        keras-prune prune run/model.keras --dataset photos/ --macs 0.5 --out small
        keras-prune export small/pruned.keras --out model.tflite
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


COMMANDS = (
    benchmark, compare, evaluate, export, inspect, lenet5, lenet300_100, predict, profile, prune,
    rl_pruner, rnp, run, sensitivity, taylor, train, vgg16,
)  # fmt: skip

for command in COMMANDS:
    app.add_command(command)


def main() -> None:
    """Runs the command line: a user's mistake is one line on stderr and exit code 2."""
    # Before TensorFlow is imported: even its error level is noise (a missing GPU), for what goes
    # wrong also raises.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        sys.exit(app.main(prog_name="keras-prune", standalone_mode=False))
    except KerasPruneError as error:
        _fail(f"Error: {error}", 2)
    except click.Abort as stop:  # what click makes of Ctrl-C, or a recipe's own `Interrupted`
        _fail(str(stop) or "Interrupted. Nothing was written.", 130)
    except click.ClickException as error:
        _fail(f"Error: {error.format_message()}", error.exit_code)


def _fail(line: str, code: int) -> None:
    click.echo(" ".join(line.split()), err=True)
    sys.exit(code)
