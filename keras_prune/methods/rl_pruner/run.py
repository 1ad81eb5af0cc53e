"""One run from the data to the report."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from keras_prune.config import load, read_toml
from keras_prune.graph import ChannelGraph
from keras_prune.methods.outcome import Outcome
from keras_prune.methods.rl_pruner.building import check
from keras_prune.methods.rl_pruner.config import RLPrunerRecipe
from keras_prune.methods.rl_pruner.search import RLPruner
from keras_prune.methods.rl_pruner.state import SearchState
from keras_prune.methods.run import PruningRun
from keras_prune.plan import PruningPlan
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.reporting.shares import draw_shares
from keras_prune.tracking import Tracker, untracked

_FOLDER = "search"  # of the state, in the run directory


def run_recipe(
    recipe: RLPrunerRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> PruningReport:
    """Trains or loads a baseline, prunes it by RL-Pruner, fine-tunes, exports and reports.

    A run that was killed goes on from its last stage if it is called with the same directory.

    Args:
        recipe: the whole configuration.
        run: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.
        tracker: told of every epoch and round, and of the report.

    Returns:
        The report, as written to `report.json`.

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
        check=lambda model: check(recipe.prune.budget, ChannelGraph(model)),
    )
    return pruning.report("rl_pruner", _Search(recipe, pruning).prune())


def resume(
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> PruningReport:
    """Goes on with a run that was killed, from its last stage, as if it had not been.

    Args:
        run: its directory, as `RunDirectory.existing` gives it.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        watcher: told of every step.
        tracker: told of every epoch and round, and of the report.

    Raises:
        KerasPruneError: what the directory holds, or the data, cannot be used.
    """
    recipe = load(RLPrunerRecipe, read_toml(run / "config.toml"))
    trained = run / "baseline.keras"
    weights = trained if trained.exists() else None
    return run_recipe(
        recipe, run, data_dir=data_dir, weights=weights, watcher=watcher, tracker=tracker
    )


class _Search:
    """The search of one run, saved after every stage."""

    def __init__(self, recipe: RLPrunerRecipe, run: PruningRun) -> None:
        self._recipe, self._run = recipe, run
        nothing = PruningPlan.for_graph(ChannelGraph(run.original), {})
        common, config = recipe.common, recipe.prune
        self._pruner = RLPruner(
            Outcome(run.original, nothing, run.baseline),
            run.splits.validation_arrays(config.images),
            config,
            recover=lambda model, stage: run.fit(model, recipe.recovery, stage),
            accuracy=run.accuracy,
            seed=common.seed,
            calibration=run.splits.training_sample(config.images),
            precision=common.precision,
            watcher=run.watcher,
            tracker=run.tracker,
        )

    def prune(self) -> Outcome:
        """All stages that are left, and the last fine-tuning."""
        state = self._loaded()
        while not state.ended:
            state = self._saved(self._pruner.advance(state))
        if not state.plan.kept:
            return Outcome(state.model, state.plan, state.accuracy, state.notes)
        self._run.fit(state.model, self._recipe.finetune, "fine-tune", validate=True)
        return Outcome(state.model, state.plan, self._run.accuracy(state.model), state.notes)

    def _loaded(self) -> SearchState:
        """The state that a killed run has left, or that of a new one."""
        state = SearchState.load(self._run.directory / _FOLDER)
        if state is None:
            return self._saved(self._pruner.start())
        self._run.go_on(state.trainings, state.epochs)
        note = f"The run was killed and went on after stage {state.stage}."
        return replace(state, notes=(*state.notes, note))

    def _saved(self, state: SearchState) -> SearchState:
        """The state, written with what a reader wants to see of it."""
        run = self._run.directory
        state = replace(state, trainings=self._run.trainings, epochs=self._run.epochs)
        state.save(run / _FOLDER)
        state.plan.save(run / "plan.json")
        if state.history:
            run.write_frame("history.csv", pd.DataFrame(state.history))
        shares = pd.DataFrame(state.shares).rename_axis("stage").reset_index()
        run.write_frame("distribution.csv", shares)
        draw_shares(state.shares, run / "distribution.svg")
        return state
