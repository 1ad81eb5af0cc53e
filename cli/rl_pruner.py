"""`keras-prune rl-pruner`: train a network, learn how much each group gives, prune, fine-tune."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .progress import display
from .ranked import run_method, search_options
from .running import run_directory
from .settings import settings
from .starting import room
from .tables import show_run
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker


@click.command("rl-pruner")
@click.option("--model", help="A network of the package, say resnet56, or a .keras file.")
@shared.dataset
@shared.data_dir
@click.option("--weights", type=shared.FILE, help="A trained .keras file, instead of training one.")
@click.option("--quick", is_flag=True, help="A small network and short trainings.")
@click.option("--resume", type=shared.FILE, metavar="DIR", help="Go on with a run that was killed.")
@click.option("--epochs", type=shared.COUNT, help="Epochs of the baseline's training.")
@search_options
@shared.batch_size
@shared.seed
@shared.precision
@shared.out
@shared.config
@tracking_options
def rl_pruner(
    data_dir: Path | None,
    weights: Path | None,
    quick: bool,
    resume: Path | None,
    out: Path | None,
    config: Path | None,
    tracker: "Tracker",
    **options: Any,
) -> None:
    """Prune a network by a learned distribution over its groups of channels.

    Every option left out keeps the value of configs/rl-pruner.toml, with --quick of
    configs/rl-pruner-quick.toml, or of --config. For example

        keras-prune rl-pruner --model resnet56 --dataset cifar10 --macs 0.5
    """
    if resume is not None:
        _refuse(
            {"out": out, "config": config, "weights": weights, "quick": quick or None, **options}
        )
        _go_on(resume, data_dir, tracker)
        return
    data = settings("rl-pruner-quick" if quick else "rl-pruner", config, options["dataset"])
    run_method(
        "rl-pruner",
        data,
        options,
        data_dir=data_dir,
        out=out,
        tracker=tracker,
        weights=weights,
        method="rl_pruner",
    )


def _refuse(options: dict[str, Any]) -> None:
    """A run that goes on does so as its directory says, so no option may say otherwise."""
    for name, value in options.items():
        if value not in (None, ()):
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"--resume keeps the run's own settings. Leave out {option}.")


def _go_on(path: Path, data_dir: Path | None, tracker: "Tracker") -> None:
    from keras_prune.config import read_toml

    method = room("methods.rl_pruner")
    with (
        run_directory(path, goes_on=True) as run,
        display() as watcher,
        tracker.run(run.path, read_toml(run / "config.toml")),
    ):
        report = method.resume(run, data_dir=data_dir, watcher=watcher, tracker=tracker)
    show_run(report, run.path)
