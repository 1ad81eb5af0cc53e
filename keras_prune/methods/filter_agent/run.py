"""One run from the data to the report."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import pandas as pd

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.agent import FilterAgentResult, prune_by_agent
from keras_prune.methods.filter_agent.config import FilterAgentRecipe
from keras_prune.methods.filter_agent.guard import keep_promise
from keras_prune.methods.filter_agent.rounds import Rounds, prune_in_rounds
from keras_prune.methods.outcome import Outcome
from keras_prune.methods.run import PruningRun
from keras_prune.plan import PruningPlan
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.tracking import Tracker, untracked

_SEEDS_A_ROUND = 1000  # more than a network has groups


def run_recipe(
    recipe: FilterAgentRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> PruningReport:
    """Trains or loads a baseline, prunes it by the filter agent, fine-tunes, exports and reports.

    Args:
        recipe: the whole configuration.
        run: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.
        tracker: told of every epoch and step, and of the report; with one, each fine-tuning is
            validated after every epoch.

    Returns:
        The report, as written to `report.json`.

    Raises:
        KerasPruneError: the data, the weights or the configuration cannot be used.
    """
    pruning = PruningRun(
        recipe, run, data_dir=data_dir, weights=weights, watcher=watcher, tracker=tracker
    )
    done = _Rounds(recipe, pruning).prune()
    return pruning.report("filter_agent", replace(done.kept, untouched=done.untouched))


class _Rounds:
    """The rounds of one run."""

    def __init__(self, recipe: FilterAgentRecipe, run: PruningRun) -> None:
        self._recipe = recipe
        self._run = run

    def prune(self) -> Rounds:
        """Lets the agent choose, group by group; what there is so far is on disk after each."""
        nothing = PruningPlan.for_graph(ChannelGraph(self._run.original), {})
        done = prune_in_rounds(
            Outcome(self._run.original, nothing, self._run.baseline),
            self._recipe.prune.rounds,
            search=self._search,
            keep=self._keep,
            save=self._save,
        )
        self._save(done)
        return done

    def _search(
        self, start: Outcome, number: int, on_group: Callable[[FilterAgentResult], None]
    ) -> FilterAgentResult:
        """One round of the agent."""
        common, config = self._recipe.common, self._recipe.prune
        images, labels = self._run.splits.validation_arrays(config.images)
        return prune_by_agent(
            start,
            images,
            labels,
            config,
            baseline=self._run.baseline,
            accuracy=self._run.accuracy,
            recover=lambda model, name: self._run.fit(
                model, self._recipe.recovery, f"recover {name}"
            ),
            seed=common.seed + _SEEDS_A_ROUND * number,
            precision=common.precision,
            watcher=lambda told: self._run.watcher(
                replace(told, stage=f"round {number}/{config.rounds} {told.stage}")
            ),
            tracker=self._run.tracker,
            on_group=on_group,
        )

    def _keep(self, start: Outcome, found: FilterAgentResult) -> Outcome:
        return keep_promise(
            start.model,
            found.model,
            found.plan,
            found.log_odds,
            baseline=self._run.baseline,
            b=self._recipe.prune.b,
            finetune=self._finetune,
            accuracy=self._run.accuracy,
        )

    def _finetune(self, model: keras.Model) -> None:
        self._run.fit(model, self._recipe.finetune, "fine-tune", validate=True)

    def _save(self, done: Rounds) -> None:
        self._run.directory.write_frame("history.csv", pd.DataFrame(done.history))
        done.kept.plan.save(self._run.directory / "plan.json")
