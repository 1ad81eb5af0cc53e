"""`keras-prune vgg16`: train or load a VGG16, prune it with the filter agent, fine-tune, export."""

import logging
import math
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.config import load, merge, override, read_toml
from keras_prune.quiet import quiet_descriptors

from .progress import display
from .running import run_directory

if TYPE_CHECKING:
    from keras_prune.reporting import PruningReport

# Option (as click names its value) -> the configuration key it sets.
KEYS = {
    "b": "prune.b",
    "batch_size": "common.batch_size",
    "dataset": "common.dataset",
    "epochs": "train.epochs",
    "finetune_epochs": "finetune.epochs",
    "finetune_steps": "recovery.steps_per_epoch",
    "max_steps": "prune.max_steps",
    "precision": "common.precision",
    "samples": "prune.samples",
    "seed": "common.seed",
    "validation_images": "prune.images",
}


def _positive(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:  # also refuses nan
        raise click.BadParameter(f"expected a finite number above 0. Received: {value}.")
    return value


COUNT = click.IntRange(min=1)
FILE = click.Path(path_type=Path)


@click.command()
@click.option("--b", type=float, callback=_positive, help="Tolerated accuracy drop, in points.")
@click.option("--dataset", help="cifar10, mnist, fashion_mnist, or digits (needs no download).")
@click.option("--data-dir", type=FILE, help="Where the data sets lie. [default: $TFDS_DATA_DIR]")
@click.option("--weights", type=FILE, help="A trained .keras file, instead of training one.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.")
@click.option("--out", type=FILE, help="The run directory; must be absent or empty.")
@click.option("--config", type=FILE, help="A TOML file; options override it.")
@click.option("--precision", help="float32 or mixed_bfloat16.")
@click.option("--batch-size", type=COUNT, help="Images per training step.")
@click.option("--epochs", type=COUNT, help="Epochs of the baseline's training.")
@click.option("--samples", type=COUNT, help="Actions sampled per agent step.")
@click.option("--max-steps", type=COUNT, help="Agent steps per group, at most.")
@click.option("--validation-images", type=COUNT, help="Images a reward is measured on.")
@click.option("--finetune-steps", type=COUNT, help="Training steps after each group.")
@click.option("--finetune-epochs", type=COUNT, help="Epochs of the final fine-tuning.")
def vgg16(
    data_dir: Path | None,
    weights: Path | None,
    out: Path | None,
    config: Path | None,
    **options: Any,
) -> None:
    """Prune a VGG16 with a reinforcement-learned filter agent.

    Every option left out keeps the value of the recipe's configuration or of --config.
    """
    from keras_prune.reporting import RunDirectory

    changes = {KEYS[name]: value for name, value in options.items() if value is not None}
    data = _settings(config, options["dataset"])
    method = _method()
    recipe = override(load(method.FilterAgentRecipe, data), changes)
    with run_directory(out or RunDirectory.default_path("vgg16")) as run, display() as watcher:
        report = method.run_recipe(recipe, run, data_dir=data_dir, weights=weights, watcher=watcher)
    _show(report, run.path)


def _settings(config: Path | None, dataset: str | None) -> dict[str, Any]:
    """configs/vgg16.toml, what it changes for the data set, and the user's file laid over both."""
    user = read_toml(config) if config else {}
    settings = _shipped("vgg16")
    chosen = dataset or merge(settings, user)["common"]["dataset"]
    return merge(merge(settings, _shipped(f"vgg16-{chosen}")), user)


def _shipped(name: str) -> dict[str, Any]:
    """A configuration that comes with the package; empty where there is none of that name."""
    with as_file(files("keras_prune.configs") / f"{name}.toml") as path:
        return read_toml(path) if path.exists() else {}


def _method() -> Any:
    """The method's room, imported late, without TensorFlow's greetings and later advice."""
    with quiet_descriptors():
        method = import_module("keras_prune.methods.filter_agent")
        import_module("tensorflow").config.list_logical_devices()  # starts its runtime
    for name in ("absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return method


def _show(report: "PruningReport", path: Path) -> None:
    from rich.console import Console

    from .tables import show

    console = Console()
    show(report, console)
    console.print(f"Run directory: {path}", highlight=False, soft_wrap=True)
