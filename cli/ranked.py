"""What `prune`, `taylor` and `rl-pruner` share: options of pruning to a budget, and the run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.config import load, merge_keys

from . import options as shared
from .running import carry_out
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
    "max_drop": "prune.max_drop",
    "model": "common.model",
    "params": "prune.params",
    "precision": "common.precision",
    "ratio": "prune.ratio",
    "round_to": "prune.round_to",
    "samples": "prune.samples",
    "scope": "prune.scope",
    "seed": "common.seed",
    "stages": "prune.stages",
    "steps": "prune.steps",
}
BUDGETS = ("latency", "macs", "params", "ratio")

# Method -> its room and recipe.
METHODS = {
    "ranking": ("methods.ranking", "RankingRecipe"),
    "rl_pruner": ("methods.rl_pruner", "RLPrunerRecipe"),
}

_budgets = (
    click.option("--macs", type=float, help="Fraction of MACs to keep, in (0, 1]."),
    click.option("--params", type=float, help="Fraction of parameters to keep."),
    click.option("--ratio", type=float, help="Fraction of channels to remove."),
)
_criterion = click.option("--criterion", help="What ranks the channels: taylor, l1, fpgm, ...")
_rest = (
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Layers that stay whole, say 'block5_*'; may be given several times.",
    ),
    click.option("--round-to", type=shared.COUNT, help="Channels kept: a multiple of it."),
    click.option("--finetune-epochs", type=shared.COUNT, help="Epochs of the final fine-tuning."),
    click.option(
        "--learning-rate",
        type=float,
        callback=shared.positive,
        help="Highest of the final fine-tuning.",
    ),
)


def ranking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of pruning by rank to a command."""
    steps = click.option("--steps", type=shared.COUNT, help="Scorings and cuts to the budget.")
    return _with(
        command,
        *_budgets,
        click.option("--latency", type=float, help="Fraction of TFLite latency to keep, measured."),
        _criterion,
        click.option("--images", type=shared.COUNT, help="Training images scores are made on."),
        steps,
        click.option("--scope", help="global or local: ranked together, or group by group."),
        *_rest,
        shared.distill,
    )


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a search for the distribution to a command."""
    return _with(
        command,
        *_budgets,
        click.option(
            "--max-drop",
            type=float,
            callback=shared.positive,
            help="Points of validation accuracy that may be lost on the way; then it stops.",
        ),
        _criterion,
        click.option("--images", type=shared.COUNT, help="Validation images of a reward."),
        click.option("--stages", type=shared.COUNT, help="Searches and cuts to the budget."),
        click.option("--samples", type=shared.COUNT, help="Distributions tried for an update."),
        *_rest,
    )


def _with(command: Callable[..., Any], *options: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def run_method(
    name: str,
    data: dict[str, Any],
    options: dict[str, Any],
    *,
    data_dir: Path | None,
    out: Path | None,
    tracker: "Tracker",
    weights: Path | None = None,
    method: str = "ranking",
) -> None:
    """Runs a method and shows its report.

    Args:
        name: of the command, for the run directory.
        data: the configuration so far, as plain data.
        options: the command's, by click's names; they go before the configuration.
        data_dir: where the data sets lie.
        out: the run directory; default: one of the command's name and the time.
        tracker: what records the run.
        weights: a trained network, instead of training one.
        method: one of `METHODS`.
    """
    home, recipe_class = METHODS[method]
    work = room(home)
    recipe = load(getattr(work, recipe_class), _chosen(data, options))
    report, run = carry_out(
        name,
        work.run_recipe,
        recipe,
        out=out,
        tracker=tracker,
        data_dir=data_dir,
        weights=weights,
    )
    show_run(report, run.path)


def _chosen(data: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The configuration with the options laid over it; a budget among them is the only one."""
    given = changes(KEYS, options)
    if not given.keys().isdisjoint(KEYS[name] for name in BUDGETS):
        kept = {key: value for key, value in data["prune"].items() if key not in BUDGETS}
        data = data | {"prune": kept}
    return merge_keys(data, given)
