"""One run from the data to the report."""

from __future__ import annotations

from pathlib import Path

import keras

from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.curve import Curve
from keras_prune.methods.rnp.decisions import find_decisions
from keras_prune.methods.rnp.learned import learn
from keras_prune.methods.rnp.pictures import draw_curve
from keras_prune.methods.rnp.reporting import Reporting
from keras_prune.methods.run import PruningRun
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.tracking import Tracker, untracked


def run_recipe(
    recipe: RNPRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
    curve: bool = False,
) -> PruningReport:
    """Trains or loads a baseline, teaches it to decide how much of itself to compute, and reports.

    Args:
        recipe: the whole configuration.
        run: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.
        tracker: told of every epoch, and of the report.
        curve: also draw accuracy over multiplications, for several prices and balances, static
            networks and random actions; this trains several more agents and networks.

    Returns:
        The report, as written to `report.json`. Its costs after pruning are averages over the test
        images, the decisions' own included.

    Raises:
        KerasPruneError: the data, the weights or the configuration cannot be used.
    """
    pruning = PruningRun(
        recipe,
        run,
        data_dir=data_dir,
        weights=weights,
        watcher=watcher,
        tracker=tracker,
        check=lambda model: _check(model, recipe.prune.sets),
    )
    learned = learn(recipe, pruning)
    report = Reporting(recipe, pruning, learned).report()
    if curve:
        frame = Curve(recipe, pruning, learned).frame()
        run.write_frame("curve.csv", frame)
        draw_curve(frame, run / "curve.svg")
    return report


def _check(model: keras.Model, sets: int) -> None:
    find_decisions(ChannelGraph(model), sets)
