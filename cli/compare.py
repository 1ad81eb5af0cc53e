"""`keras-prune compare`: what two models cost, side by side."""

from pathlib import Path

import click

from . import options as shared
from .command import command
from .costs import show, write_csv
from .output import say_json
from .starting import quietly


@command()
@click.argument("model", type=shared.FILE)
@click.argument("other", type=shared.FILE)
@shared.convention
@shared.as_json
@shared.csv
def compare(model: Path, other: Path, convention: str, as_json: bool, csv: Path | None) -> None:
    """Show the costs of MODEL and OTHER side by side.

    Both are .keras or .kpz files. Layers are matched by name: "before" is MODEL, "after" is OTHER.
    """
    with quietly():
        from keras_prune.profiling import compare as compared
        from keras_prune.runtimes.loading import load_model
    found = compared(load_model(model), load_model(other), convention)
    if csv:
        write_csv(csv, found.to_flat_frame())
    if as_json:
        say_json(found.to_dict())
    else:
        show(f"{model} and {other}, counted by the convention {convention}", found)
