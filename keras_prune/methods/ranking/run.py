"""One run from the data to the report."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from keras_prune import criteria
from keras_prune.graph import ChannelGraph
from keras_prune.methods.outcome import Outcome
from keras_prune.methods.ranking.config import RankingRecipe
from keras_prune.methods.ranking.steps import Steps, prune_in_steps
from keras_prune.methods.run import PruningRun
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.tracking import Tracker, untracked


def run_recipe(
    recipe: RankingRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> PruningReport:
    """Trains or loads a baseline, prunes it to a budget, fine-tunes, exports and reports.

    Args:
        recipe: the whole configuration.
        run: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.
        tracker: told of every epoch and step, and of the report.

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
        check=lambda model: recipe.prune.budget.check(ChannelGraph(model)),
    )
    done = _prune(recipe, pruning)
    pruning.fit(done.model, recipe.finetune, "fine-tune", validate=True)
    reached = pruning.accuracy(done.model)
    return pruning.report(
        "ranking", Outcome(done.model, done.plan, reached, done.notes, _untouched(done))
    )


def _prune(recipe: RankingRecipe, run: PruningRun) -> Steps:
    """The steps of one run; what there is so far is on disk after each."""
    criterion = criteria.get(recipe.prune.criterion)
    images = run.splits.training_sample(recipe.prune.images)

    def save(done: Steps) -> None:
        run.directory.write_frame("history.csv", pd.DataFrame(done.history))
        done.plan.save(run.directory / "plan.json")
        run.tracker.step("network", done.history[-1])

    return prune_in_steps(
        run.original,
        recipe.prune.budget,
        recipe.prune.steps,
        score=lambda graph: criterion(graph, images),
        recover=lambda model, stage: run.fit(model, recipe.recovery, stage),
        on_step=save,
    )


def _untouched(done: Steps) -> Mapping[str, str]:
    whole = (name for name, kept in done.plan.kept.items() if len(kept) == done.plan.channels[name])
    return dict.fromkeys(whole, "none of its channels ranked low enough, or it was excluded")
