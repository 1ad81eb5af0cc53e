"""`keras-prune compare`: what two models cost, side by side."""

import json
from pathlib import Path

import click

from . import options as shared
from .command import command
from .costs import show, write_csv
from .starting import room


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
    models = [room("runtimes.loading").load_model(path) for path in (model, other)]
    found = room("profiling").compare(*models, convention)
    if csv:
        write_csv(csv, found.to_flat_frame())
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        show(f"{model} and {other}, counted by the convention {convention}", found)
