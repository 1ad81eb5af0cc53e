"""What `prune` and `taylor` share: the options of pruning by rank, and the run itself."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.config import load, merge_keys, to_dict

from . import options as shared
from .progress import display
from .running import run_directory
from .settings import changes
from .starting import room
from .tables import show_run

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker

# Option (as click names its value) -> the configuration key it sets.
KEYS = {
    "augment": "common.augment",
    "batch_size": "common.batch_size",
    "criterion": "prune.criterion",
    "dataset": "common.dataset",
    "distill": "distillation",
    "epochs": "train.epochs",
    "exclude": "prune.exclude",
    "finetune_epochs": "finetune.epochs",
    "images": "prune.images",
    "latency": "prune.latency",
    "learning_rate": "finetune.learning_rate",
    "macs": "prune.macs",
    "model": "common.model",
    "params": "prune.params",
    "precision": "common.precision",
    "ratio": "prune.ratio",
    "round_to": "prune.round_to",
    "scope": "prune.scope",
    "seed": "common.seed",
    "steps": "prune.steps",
}
BUDGETS = ("latency", "macs", "params", "ratio")


def ranking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of pruning by rank to a command."""
    for option in reversed(
        (
            click.option("--macs", type=float, help="Fraction of MACs to keep, in (0, 1]."),
            click.option("--params", type=float, help="Fraction of parameters to keep."),
            click.option("--ratio", type=float, help="Fraction of channels to remove."),
            click.option(
                "--latency", type=float, help="Fraction of TFLite latency to keep, measured."
            ),
            click.option("--criterion", help="What ranks the channels: taylor, l1, fpgm, ..."),
            click.option("--images", type=shared.COUNT, help="Training images scores are made on."),
            click.option("--steps", type=shared.COUNT, help="Scorings and cuts to the budget."),
            click.option("--scope", help="global or local: ranked together, or group by group."),
            click.option(
                "--exclude",
                multiple=True,
                metavar="PATTERN",
                help="Layers that stay whole, say 'block5_*'; may be given several times.",
            ),
            click.option("--round-to", type=shared.COUNT, help="Channels kept: a multiple of it."),
            click.option(
                "--finetune-epochs", type=shared.COUNT, help="Epochs of the final fine-tuning."
            ),
            click.option(
                "--learning-rate",
                type=float,
                callback=shared.positive,
                help="Highest of the final fine-tuning.",
            ),
            shared.distill,
        )
    ):
        command = option(command)
    return command


def run_ranking(
    name: str,
    data: dict[str, Any],
    options: dict[str, Any],
    *,
    data_dir: Path | None,
    out: Path | None,
    tracker: "Tracker",
    weights: Path | None = None,
) -> None:
    """Runs the method and shows its report.

    Args:
        name: of the command, for the run directory.
        data: the configuration so far, as plain data.
        options: the command's, by click's names; they go before the configuration.
        data_dir: where the data sets lie.
        out: the run directory; default: one of the command's name and the time.
        tracker: what records the run.
        weights: a trained network, instead of training one.
    """
    from keras_prune.reporting import RunDirectory

    method = room("methods.ranking")
    recipe = load(method.RankingRecipe, _chosen(data, options))
    with (
        run_directory(out or RunDirectory.default_path(name)) as run,
        display() as watcher,
        tracker.run(run.path, to_dict(recipe)),
    ):
        report = method.run_recipe(
            recipe, run, data_dir=data_dir, weights=weights, watcher=watcher, tracker=tracker
        )
    show_run(report, run.path)


def _chosen(data: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The configuration with the options laid over it; a budget among them is the only one."""
    given = changes(KEYS, options)
    if not given.keys().isdisjoint(KEYS[name] for name in BUDGETS):
        kept = {key: value for key, value in data["prune"].items() if key not in BUDGETS}
        data = data | {"prune": kept}
    return merge_keys(data, given)
