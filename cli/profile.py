"""`keras-prune profile`: what each layer of a model costs."""

from pathlib import Path

import click

from . import options as shared
from .command import command
from .costs import show, write_csv
from .output import say_json
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
        say_json(found.to_dict())
    else:
        show(f"{model}, counted by the convention {convention}", found)
