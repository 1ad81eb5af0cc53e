"""`keras-prune prune`: a model of the user's, by any method."""

from pathlib import Path
from typing import Any

import click

from keras_prune.methods.registry import available
from keras_prune.utils.config import merge

from . import options as shared
from .command import command
from .method_options import changes, in_todays_words, of_all
from .paths import model_path
from .running import Execution, carry_out, default_path, executed, go_on
from .settings import adapted, loaded, overlay, read_file, shipped, with_options

DEFAULT = "ranking"

# Method -> the configuration whose sections hold for it.
_SHIPPED = {
    "ranking": "prune",
    "filter_agent": "vgg16",
    "magnitude": "lenet5",
    "rl_pruner": "rl-pruner",
    "rnp": "rnp",
}
_SECTIONS = ("method", "prune", "recovery", "finetune", "distillation")


def _options() -> list[click.Parameter]:
    defaults = {
        method: _of_method(shipped(name)) | {"common": shipped("prune")["common"]}
        for method, name in _SHIPPED.items()
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
    if method is None and config:
        method = str(read_file(config, DEFAULT)["method"])
    method = method or DEFAULT
    user = overlay(config, method)
    given = in_todays_words(method, options)
    data = merge(_base(method, given["dataset"]), user)
    given_keys = changes(method, given, Path.cwd())
    given_keys["common.model"] = model_path(model, Path.cwd())
    chosen = loaded(with_options(data, given_keys))
    carry_out(chosen, out or default_path(chosen, "prune"), execution)


def _base(method: str, dataset: str) -> dict[str, Any]:
    """What holds where neither file nor options say more: of the recipe, what suits any model."""
    of_method = _of_method(adapted(_SHIPPED[method], {}, dataset))
    return {"common": shipped("prune")["common"], "method": method, **of_method}


def _of_method(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in _SECTIONS if name in data}
