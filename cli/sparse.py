"""`keras-prune export --sparse`: every form of a model full of zeros."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .costs import write_csv
from .output import say_json
from .starting import quietly

if TYPE_CHECKING:
    import keras
    import pandas as pd
    from rich.console import Console

TAKEN = {"batch", "truth", "representative", "force"}
"""What `--dataset` gives; other options of `export` belong to a single file."""


def show_sparse(model: "keras.Model", out: Path, options: Mapping[str, Any], as_json: bool) -> None:
    """Writes the files and `sizes.csv`, and prints the table.

    Raises:
        UsageError: an option was given that belongs to a single file.
    """
    for name in sorted(options.keys() - TAKEN):
        raise click.UsageError(f"--sparse writes files of its own: leave out {_option(name)}.")
    if options.get("force"):
        raise click.UsageError("--sparse replaces nothing: leave out --force, give another --out.")
    with quietly():
        from keras_prune.benchmarking import export_sparse, forms_frame
    given = {name: value for name, value in options.items() if name != "force"}
    forms = export_sparse(model, out, **given)
    frame = forms_frame(forms)
    write_csv(out / "sizes.csv", frame)
    if as_json:
        say_json([asdict(form) for form in forms])
        return
    from .tables import console

    show_forms(frame, f"Files in {out}", console())


def show_forms(frame: "pd.DataFrame", title: str, terminal: "Console") -> None:
    """Prints the table of all forms, and below it which of them are not faster."""
    from .tables import table

    shown = frame.astype(object).where(frame.notna(), float("nan"))
    terminal.print(table(shown.drop(columns="note"), title))
    for note, files in frame.groupby("note", sort=False)["file"]:
        terminal.print(f"{', '.join(files)}: {note}", soft_wrap=True)


def _option(name: str) -> str:
    return "--to" if name == "format" else f"--{name.replace('_', '-')}"
