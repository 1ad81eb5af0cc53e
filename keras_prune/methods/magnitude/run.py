"""One run in three stages, which hand each other files: train, prune, test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import keras
import pandas as pd

from keras_prune.backends import require_tensorflow
from keras_prune.benchmarking import export_sparse, forms_frame
from keras_prune.dead_channels import without_dead
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.loading import load_model
from keras_prune.methods.magnitude.config import MagnitudeRecipe, TestConfig
from keras_prune.methods.magnitude.loop import check_kernels, prune_weights
from keras_prune.methods.magnitude.masks import Masks
from keras_prune.methods.magnitude.remasking import Remasking
from keras_prune.methods.magnitude.tables import as_markdown, layer_tables, summary
from keras_prune.methods.outcome import Outcome
from keras_prune.methods.run import PruningRun
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.surgery import prune_graph
from keras_prune.tracking import Tracker, untracked

Stage = Literal["train", "prune", "test"]
STAGES: tuple[Stage, ...] = ("train", "prune", "test")

_JUDGED = 1000
"""Validation images that the forms of the sparse network are compared and calibrated on."""

BASELINE, SPARSE, REPORT = "baseline.keras", "sparse.keras", "report.json"
"""What each stage leaves behind; the first two are what the next one starts from."""


def run_recipe(
    recipe: MagnitudeRecipe,
    run: RunDirectory,
    *,
    stages: Sequence[Stage] = STAGES,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> PruningReport | None:
    """Trains or loads a baseline, prunes and retrains it, and measures what came of it.

    The stage `train` writes `baseline.keras`; `prune` writes `sparse.keras`, the same network with
    weights that are zero, and `history.csv`; `test` writes `pruned.keras`, without the channels
    that do nothing any more, the exports, the tables, `report.json`, and in `files` every form that
    may be smaller, with `sizes.csv`.

    Args:
        recipe: the whole configuration.
        run: where everything is written, and where a stage looks for what the one before it wrote.
        stages: which stages, in order; default all.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default that of the recipe, or a baseline is trained.
        watcher: told of every step.
        tracker: told of every epoch, and of the report.

    Returns:
        The report, or None if the stage `test` is not among them.

    Raises:
        KerasPruneError: the data, the weights or the configuration cannot be used, a stage finds no
            file to start from, or its own already there, or Keras does not run on TensorFlow.
    """
    require_tensorflow("Magnitude pruning of single weights")
    check_files(run, stages)
    start = weights or recipe.common.weights if "train" in stages else run / BASELINE
    pruning = PruningRun(
        recipe,
        run,
        data_dir=data_dir,
        weights=start,
        watcher=watcher,
        tracker=tracker,
        check=lambda model: check_kernels(model, recipe.prune),
    )
    if "train" not in stages:
        pruning.go_on(0, _earlier_epochs(run, stages[0]))
    if "prune" in stages:
        _prune(recipe, pruning)
    return _test(pruning, recipe.test) if "test" in stages else None


def check_files(run: RunDirectory, stages: Sequence[Stage]) -> None:
    """Refuses stages that lack what they start from, or would overwrite what is there.

    Raises:
        ConfigError: a file is missing, or there already.
    """
    needed = {"prune": (BASELINE, "train"), "test": (SPARSE, "prune")}.get(stages[0])
    if needed and not (run / needed[0]).is_file():
        raise ConfigError(
            f"Stage {stages[0]} starts from {run / needed[0]}, which does not exist. "
            f"Run --stage {needed[1]} first."
        )
    for name, stage in ((BASELINE, "train"), (SPARSE, "prune"), (REPORT, "test")):
        if stage in stages and (run / name).exists():
            raise ConfigError(
                f"{run / name} exists already, and a run is never overwritten. Remove it, or give "
                "another directory."
            )


def _earlier_epochs(run: RunDirectory, stage: Stage) -> int:
    """How many rows of `training.csv` the stages before one have written.

    Those of a stage `prune` that was killed are not among them: it is carried out anew.
    """
    path = run / "training.csv"
    if not path.exists():  # the weights were given
        return 0
    written = pd.read_csv(path)["stage"]
    return len(written) if stage == "test" else int(written.str.startswith("train ").sum())


def _prune(recipe: MagnitudeRecipe, run: PruningRun) -> None:
    model, config, rows = load_model(run.directory / BASELINE), recipe.prune, []

    def retrain(model: keras.Model, masks: Masks, iteration: int) -> None:
        last = iteration == config.iterations
        training = (config.final or config.retrain) if last else config.retrain
        pruned = run.accuracy(model)
        stage = f"retrain {iteration}/{config.iterations}"
        run.fit(model, training, stage, validate=True, callbacks=[Remasking(masks)])
        rows.append(
            {"iteration": iteration, "sparsity": masks.sparsity, "pruned_accuracy": pruned,
             "retrained_accuracy": run.accuracy(model)}
        )  # fmt: skip
        run.directory.write_frame("history.csv", pd.DataFrame(rows))

    prune_weights(model, config, retrain)
    run.directory.save_model(SPARSE, model)


def _test(run: PruningRun, config: TestConfig) -> PruningReport:
    sparse = load_model(run.directory / SPARSE)
    graph = ChannelGraph(sparse)
    plan = without_dead(graph)
    outcome = Outcome(prune_graph(graph, plan), plan, run.accuracy(sparse), (_note(run, sparse),))
    report = run.report("magnitude", outcome)
    _write_tables(run, sparse, report)
    _write_forms(run, sparse, config)
    return report


def _note(run: PruningRun, sparse: keras.Model) -> str:
    total = layer_tables(run.original, sparse)["parameters"].iloc[-1]
    return (
        f"{total['after']:,} of {total['before']:,} parameters are not zero: "
        f"{total['before'] / total['after']:.2f} times fewer."
    )


def _write_tables(run: PruningRun, sparse: keras.Model, report: PruningReport) -> None:
    tables = layer_tables(run.original, sparse)
    totals = summary(tables, report)
    for cost, table in tables.items():
        run.directory.write_frame(f"{cost}.csv", table)
    run.directory.write_frame("summary.csv", totals)
    run.directory.write_text("tables.md", as_markdown(tables, totals))


def _write_forms(run: PruningRun, sparse: keras.Model, config: TestConfig) -> None:
    images, truth = run.splits.validation_arrays(_JUDGED)
    forms = export_sparse(
        sparse,
        run.directory / "files",
        representative=images,
        batch=images,
        truth=truth,
        values=config.values,
        turns=config.turns,
    )
    run.directory.write_frame("sizes.csv", forms_frame(forms))
