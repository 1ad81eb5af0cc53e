"""`keras-prune profile`: what each layer of a model costs."""

import json
from pathlib import Path

import click

from . import options as shared
from .command import command
from .costs import show, write_csv
from .starting import quietly


@command()
@click.argument("model", type=shared.FILE)
@shared.convention
@shared.as_json
@shared.csv
def profile(model: Path, convention: str, as_json: bool, csv: Path | None) -> None:
    """Show what each layer of MODEL costs.

    MODEL is a .keras or .kpz file. Parameters, bytes of the weights, and the MACs and FLOPs of one
    example; zero weights count like all others.
    """
    with quietly():
        from keras_prune.profiling import profile as profiled
        from keras_prune.runtimes.loading import load_model
    found = profiled(load_model(model), convention)
    if csv:
        write_csv(csv, found.to_frame().reset_index())
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        show(f"{model}, counted by the convention {convention}", found)
