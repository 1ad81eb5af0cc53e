"""`keras-prune cache`: the networks that recipes have trained and keep."""

from dataclasses import asdict

import click

from .command import command
from .output import say
from .starting import quietly
from .tables import console, table


@click.group()
def cache() -> None:
    """Look at the trained networks that are kept, or remove them.

    A recipe trains its network once and keeps it, in the folder that KERAS_PRUNE_CACHE names, else
    in ~/.cache/keras-prune.
    """


@command(name="list")
def list_() -> None:
    """List what is kept: trained, unfinished or damaged."""
    with quietly(start=False):
        import pandas as pd

        from keras_prune.training.cache import cache_folder, kept
    found = kept()
    if found:
        rows = [{k: "" if v is None else v for k, v in asdict(each).items()} for each in found]
        frame = pd.DataFrame(rows, dtype=object)
        console().print(table(frame, f"Kept in {cache_folder()}"))
    else:
        say(f"Nothing is kept in {cache_folder()}.")


@command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(yes: bool) -> None:
    """Remove all that is kept, but for what another process is working at."""
    with quietly(start=False):
        from keras_prune.training.cache import cache_folder, entries
        from keras_prune.training.cache import clear as emptied
    count = len(entries())
    question = f"Remove {count} networks from {cache_folder()}?"
    if count and not yes and not click.confirm(question):
        return
    removed, busy = emptied()
    say(f"Removed {len(removed)} networks from {cache_folder()}.")
    for name in busy:
        say(f"{name} is being trained by another process and stays.")


for _command in (list_, clear):
    cache.add_command(_command)
