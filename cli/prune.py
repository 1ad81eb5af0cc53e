"""`keras-prune prune`: a model of the user's, by any method."""

from pathlib import Path
from typing import Any

import click

from keras_prune.errors import ModelError
from keras_prune.methods.registry import available
from keras_prune.utils.config import merge
from keras_prune.utils.model_files import check_layers, is_path

from . import options as shared
from .command import command
from .method_options import changes, in_todays_words, of_all
from .recipes import RECIPES
from .running import Execution, carry_out, default_path, executed, go_on
from .settings import adapted, loaded, overlay, shipped, with_options

DEFAULT = "ranking"

_SECTIONS = ("prune", "recovery", "finetune", "distillation", "sparse_training")


def configuration_of(method: str) -> str:
    """The shipped configuration whose sections hold for a method: that of its first recipe."""
    if method == DEFAULT:
        return "prune"
    return next((name for name, each in RECIPES.items() if each.method == method), method)


def _options() -> list[click.Parameter]:
    common = {"common": shipped("prune")["common"]}
    defaults = {
        method: _of_method(shipped(configuration_of(method))) | common
        for method in sorted(available(), key=lambda method: method != DEFAULT)
    }
    return of_all(defaults, leave_out=("dataset", "model", "weights", "epochs"))


@command(made=_options)
@click.argument("model", required=False)
@click.option(
    "--method",
    type=click.Choice(list(available())),
    help=f"What chooses what stays.  [default: {DEFAULT}]",
)
@shared.dataset
@shared.config
@shared.out
@shared.resume
@executed
def prune(
    model: str | None,
    method: str | None,
    config: Path | None,
    out: Path | None,
    resume: Path | None,
    execution: Execution,
    **options: Any,
) -> None:
    """Prune MODEL by a method, fine-tune and export it.

    MODEL is a .keras file that classifies images. The methods ranking and rl_pruner want one
    budget: --macs, --params, --ratio or --latency. Every other option left out keeps the value of
    the method's recipe (of configs/prune.toml for ranking), or of --config. For example

    \b
        keras-prune prune model.keras --dataset photos/ --criterion taylor --macs 0.5
    """
    if resume:
        others = {"config": config, "method": method, "out": out, **options}
        shared.refuse_others("--resume", others)
        go_on(resume, execution)
        return
    if model is None:
        raise click.UsageError("Missing argument 'MODEL'.")
    if options["dataset"] is None:
        raise click.UsageError("Missing option '--dataset'.")
    _check(model)
    user = overlay(config, method or DEFAULT, alone=method is not None)
    method = str(user["method"])
    given = in_todays_words(method, options)
    keys = changes(method, given, Path.cwd())
    keys["common.model"] = str(Path.cwd() / model)
    data = merge(_base(method, given["dataset"]), user)
    chosen = loaded(with_options(data, keys), code=True)  # --dataset is required
    carry_out(chosen, out or default_path(chosen, "prune"), execution)


def _check(model: str) -> None:
    """Refuses, before anything is imported, what is no model to prune."""
    if not (is_path(model) or Path(model).exists()):
        raise ModelError(
            f"There is no file {model}. To prune a network of the package's, train it first: "
            f"keras-prune train {model} --dataset ... --out run; then give run/model.keras."
        )
    check_layers(Path(model))


def _base(method: str, dataset: str) -> dict[str, Any]:
    """What holds where neither file nor options say more: of the recipe, what suits any model."""
    of_method = _of_method(adapted(configuration_of(method), {}, dataset))
    return {**shipped("prune"), "prune": {}, **of_method}


def _of_method(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in _SECTIONS if name in data}
