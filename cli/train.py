"""`keras-prune train`: a network of the zoo, or a model of the user's, on any data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from . import options as shared
from .command import command
from .method_options import common_settings, made, training_setting
from .options_from import Setting
from .paths import model_path
from .running import Execution, carry_out, default_path, executed, go_on
from .settings import TRAIN, adapted, loaded, overlay, shipped, with_options


def _settings() -> dict[str, Setting]:
    found = [
        training_setting("epochs", "train.epochs", "Passes over the training images."),
        training_setting("learning_rate", "train.learning_rate", "Highest of its schedule."),
        *common_settings(leave_out=("dataset", "model", "weights")),
    ]
    return {each.name: each for each in found}


@command(made=lambda: [made(each, shipped(TRAIN)) for each in _settings().values()])
@click.argument("model", required=False)
@shared.dataset
@shared.config
@shared.out
@shared.resume
@executed
def train(
    model: str | None,
    config: Path | None,
    out: Path | None,
    resume: Path | None,
    execution: Execution,
    dataset: str | None,
    **options: Any,
) -> None:
    """Train MODEL and write a run directory.

    MODEL is a network of the package, for example lenet5, which starts from random
    weights, or a .keras file of yours, which goes on from its own. Images are resized to its input.
    The test split is read once, at the end.
    """
    if resume:
        shared.refuse_others(
            "--resume", {"config": config, "out": out, "dataset": dataset, **options}
        )
        go_on(resume, execution)
        return
    if model is None:
        raise click.UsageError("Missing argument 'MODEL'.")
    data = adapted(TRAIN, overlay(config, TRAIN), dataset)
    common = data.get("common")
    if not dataset and isinstance(common, Mapping) and "dataset" not in common:
        raise click.UsageError("Missing option '--dataset'.")
    given = {_settings()[n].key: v for n, v in options.items() if v is not None}
    if dataset:
        given["common.dataset"] = dataset
    given["common.model"] = model_path(model, Path.cwd())
    chosen = loaded(with_options(data, given), code=execution.allow_code or bool(dataset))
    carry_out(chosen, out or default_path(chosen, TRAIN), execution)
