"""The driver: steps of a method until it is done, saved, told and reported."""

from __future__ import annotations

import contextlib
import json
import shlex
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import keras
import pandas as pd

from keras_prune.errors import ConfigError, ResultWarning, reasons
from keras_prune.exporting import Exported, Failed, attempt, export
from keras_prune.graph import ChannelGraph
from keras_prune.graph.blocks import left_with
from keras_prune.methods.base import Method, Outcome
from keras_prune.methods.context import Context
from keras_prune.methods.state import Pruned, RunState, Saved
from keras_prune.methods.verdict import verdict
from keras_prune.plan import PruningPlan
from keras_prune.profiling import compare, profile
from keras_prune.reporting import (
    GroupReport,
    ModelFigures,
    PruningReport,
    RunDirectory,
    Skipped,
    model_figures,
    peak_memory_mb,
)
from keras_prune.reporting.plots import draw_curves
from keras_prune.rollouts import Pool
from keras_prune.runtimes.loading import load_model
from keras_prune.surgery import prune_graph
from keras_prune.tracking import Observers
from keras_prune.training import SparseTrainingConfig, Task
from keras_prune.training.calibration import in_order
from keras_prune.training.chance import doubts
from keras_prune.training.determinism import fix_order
from keras_prune.training.identity import fingerprint
from keras_prune.training.recalibration import norms
from keras_prune.training.sparsity import ChannelRegularizer, regularizer
from keras_prune.utils.arguments import expect_seed

Phase = Literal["train", "prune", "test"]

_SPARSE = "sparse"
"""What a state calls the network that a training for sparsity has left."""

_EXPORT_BATCH = 4  # examples the exports are checked on


@dataclass(frozen=True)
class Result:
    """What a run hands over.

    Args:
        model: the pruned model, a plain Keras model (of RNP a runtime-pruned one).
        plan: what stayed, as a plan for the original model.
        report: the figures before and after.
    """

    model: keras.Model
    plan: PruningPlan
    report: PruningReport


def run_method(
    method: Method,
    model: keras.Model,
    task: Task,
    *,
    seed: int = 0,
    directory: str | Path | RunDirectory | None = None,
    precision: str = "float32",
    deterministic: bool = False,
    workers: int = 1,
    observers: Observers | None = None,
    exports: Sequence[str] = (),
    about: Mapping[str, Any] | None = None,
    trained: Sequence[Mapping[str, Any]] = (),
    seconds: float = 0.0,
    until: Phase | None = None,
) -> Result | None:
    """Prunes a model by a method.

    Args:
        method: the method.
        model: the original; it is not changed.
        task: data, loss, metrics and objective.
        seed: of everything random.
        directory: where files are written; what a killed run has left there goes on.
        precision: of trainings and rollouts.
        deterministic: whether threads compute in a fixed order; from then on the process does.
        workers: processes that measure candidates.
        observers: told of everything.
        exports: names of files beside the others that the pruned model is exported to.
        about: what the report says of the run: `model`, `dataset`, `config`.
        trained: the epochs of the baseline's training, for `training.csv`.
        seconds: how long this process has worked on the run before.
        until: `"prune"` ends before the test data are read; default: all is done.

    Returns:
        The result, or None where the run ends before the report.

    Raises:
        KerasPruneError: model, task, configuration or what is in the directory do not go together.
    """
    seed = expect_seed(seed)
    if deterministic:
        fix_order()
    bound = task.bind(model)
    method.check(model, bound)
    for training in filter(None, (method.sparse_training, method.recovery, method.finetune)):
        bound.compiled(model, training.label_smoothing)  # which refuses to smooth a user's loss
    if method.sparse_training is not None:  # which refuses a network that has nothing to press
        _regularizer(method.sparse_training, bound).found(ChannelGraph(model))
    # A tensor of unknown length is refused before the work, not in the report.
    uncounted = profile(model).uncounted
    if isinstance(directory, str | Path):
        directory = RunDirectory.open(directory)
    told, started = observers or Observers(), time.monotonic() - seconds
    identity = _identity(method, model, bound, seed, precision, deterministic)
    with contextlib.ExitStack() as stack:
        saved = None
        if directory is not None:
            stack.enter_context(directory.locked())
            saved = Saved(directory / "state", identity)
            if (directory / "report.json").exists():
                return _finished(directory, saved, identity)
            (directory / "state").mkdir(exist_ok=True)  # from now on it is known for a run's
        state = None if saved is None else saved.load(model)
        context = Context(
            model,
            bound,
            seed=seed,
            precision=precision,
            baseline=bound.value(model) if state is None else state.baseline,
            distillation=method.distillation,
            observers=told,
            directory=directory,
            pool=stack.enter_context(Pool(workers, deterministic=deterministic))
            if workers > 1
            else None,
        )
        _warn(doubts(context.baseline, context.classes) if context.classes else None)
        run = _Run(method, context, saved, identity, started, uncounted)
        state = run.steps(run.begun(trained) if state is None else run.taken_up(state))
        if until == "prune":
            return None
        return run.result(state, exports, about or {})


class _Run:
    """One run in this process.

    Args:
        method: the method.
        context: what it works with.
        saved: where states are kept, if anywhere.
        identity: what tells the run from others.
        started: when this process began with it, on the monotonic clock.
        uncounted: layers whose work cannot be counted, and why.
    """

    def __init__(
        self,
        method: Method,
        context: Context,
        saved: Saved | None,
        identity: Mapping[str, str],
        started: float,
        uncounted: Mapping[str, str],
    ) -> None:
        self._uncounted = uncounted
        self._method, self._context, self._saved = method, context, saved
        self._identity, self._started = identity, started
        self._model, self._task = context.model, context.task
        self._directory, self._observers = context.directory, context.observers
        self._before = 0.0
        self._sparse: Pruned | None = None
        context.ledger.on_record = self._write_trainings

    def begun(self, trained: Sequence[Mapping[str, Any]]) -> RunState:
        """The state before the first step."""
        self._context.ledger.epochs = list(trained)
        self._write_trainings()
        if self._directory is not None and not (self._directory / "baseline.keras").exists():
            self._directory.save_model("baseline.keras", self._model)
        self._seed_all(0)
        if self._method.sparse_training is not None:
            self._prune_from(self._pressed(self._method.sparse_training))
        return self._kept(self._method.start(self._context))

    def _pressed(self, config: SparseTrainingConfig) -> Pruned:
        """A copy of the network after a training that presses its channels to zero."""
        graph = ChannelGraph(self._model)
        nothing = PruningPlan.for_graph(graph, {})
        model = prune_graph(graph, nothing)
        pressing = [_regularizer(config, self._task)]
        self._context.fit(model, config, "sparse training", validate=True, callbacks=pressing)
        return Pruned(model, nothing, self._context.value(model))

    def _prune_from(self, pressed: Pruned) -> None:
        self._sparse = pressed
        self._context.model, self._context.initial = pressed.model, pressed.value

    def steps(self, state: RunState) -> RunState:
        """The state after all steps that are left."""
        while not state.done:
            self._seed_all(1 + state.step)
            state = self._kept(self._method.step(self._context, state))
        return state

    def _seed_all(self, number: int) -> None:
        """Makes a step draw the same whatever this process has done before."""
        keras.utils.set_random_seed((1_000_003 * self._context.seed + number) % 2**32)

    def result(self, state: RunState, exports: Sequence[str], about: Mapping[str, Any]) -> Result:
        """The last training, the test data, and all files."""
        self._seed_all(1 + state.step)
        outcome = self._method.finish(self._context, state)
        if self._directory is not None:  # whatever becomes of the exports
            self._directory.save_model("pruned.keras", outcome.pruned.model)
            outcome.pruned.plan.save(self._directory / "plan.json")
        made = self._export(outcome.pruned.model, exports)
        report = self._report(state, outcome, made, about)
        report = self._method.report(self._context, outcome, report)
        told = verdict(
            self._task.objective, *report.values, self._context.classes, outcome.pruned.plan
        )
        report = replace(report, notes=(*report.notes, *told))
        if self._directory is not None:
            self._write(outcome, report)
        self._observers.final(report.before, report.after, report.objective)
        _warn(*told, *_about_exports(made))
        return Result(outcome.pruned.model, outcome.pruned.plan, report)

    def taken_up(self, state: RunState) -> RunState:
        """A state of a killed run, with what observers and files of it have to know."""
        self._before = state.seconds
        if _SPARSE in state.networks:
            self._prune_from(state.networks[_SPARSE])
        ledger = self._context.ledger
        ledger.take_from(state)
        stages: dict[str, list[Mapping[str, Any]]] = {}
        for row in ledger.epochs:
            stages.setdefault(str(row["stage"]), []).append(row)
        for stage, rows in stages.items():
            figures = [{k: v for k, v in row.items() if k != "stage"} for row in rows]
            self._observers.past(stage, figures, pruned=not stage.startswith("train "))
        state = replace(state, resumed=state.resumed + 1)
        self._save(state)  # so that it counts when this process is killed, too
        return state

    def _kept(self, state: RunState) -> RunState:
        """The state with what the driver adds, on disk."""
        state = replace(self._context.ledger.keep_in(state), seconds=self._seconds)
        state = replace(state, baseline=self._context.baseline)
        if self._sparse is not None:
            state = replace(state, networks={**state.networks, _SPARSE: self._sparse})
        self._save(state)
        if self._directory is not None:
            self._directory.remove("trainings")  # the state holds what they came to
        return state

    def _save(self, state: RunState) -> None:
        """Writes a state, and the files that show it, which a kill may have come before."""
        if self._saved is None or self._directory is None:
            return
        self._saved.save(state, self._model)
        for name, frame in self._method.tables(state).items():
            self._directory.write_frame(f"{name}.csv", frame)
        state.plan.save(self._directory / "plan.json")

    @property
    def _seconds(self) -> float:
        """How long all processes have worked on the run."""
        return self._before + time.monotonic() - self._started

    def _write_trainings(self) -> None:
        if self._directory is not None and self._context.ledger.epochs:
            self._directory.write_frame("training.csv", pd.DataFrame(self._context.ledger.epochs))

    def _export(self, model: keras.Model, names: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """The exports; one that fails says why, and the run goes on."""
        if self._directory is None or not names:
            return ()

        def written(path: Path) -> Exported:
            inputs, _, _ = self._task.examples("validation", _EXPORT_BATCH)
            return export(model, path, batch=in_order(inputs, model.inputs), force=True)

        paths = [self._directory / name for name in names]
        made = [(path, attempt(partial(written, path))) for path in paths]
        return tuple(
            {"path": str(path), "failed": str(each)} if isinstance(each, Failed) else asdict(each)
            for path, each in made
        )

    def _report(
        self,
        state: RunState,
        outcome: Outcome,
        exports: tuple[dict[str, Any], ...],
        about: Mapping[str, Any],
    ) -> PruningReport:
        graph, objective = ChannelGraph(self._model), self._task.objective
        return PruningReport(
            method=self._method.name,
            model=about.get("model", self._model.name),
            dataset=about.get("dataset", self._task.name),
            seed=self._context.seed,
            config=dict(about.get("config", self._method.get_config())),
            before=self._figures(self._model, self._context.baseline),
            after=self._figures(outcome.pruned.model, outcome.pruned.value),
            groups=_groups(graph, outcome.pruned.plan),
            skipped=_skipped(graph, outcome),
            notes=(
                *outcome.notes,
                *filter(None, [self._task.assumed]),
                *self._about_sparsity(),
                *self._about_statistics(outcome),
                *_about_resuming(state),
                *_about_costs(self._uncounted),
                *_about_exports(exports),
            ),
            pruned_values=tuple(
                float(row["pruned_value"]) for row in state.history if "pruned_value" in row
            ),
            exports=exports,
            seconds=self._seconds,
            peak_memory_mb=peak_memory_mb(),
            objective=objective.metric,
            direction=objective.direction or "max",
            resumed=state.resumed,
            identity=dict(self._identity),
        )

    def _about_sparsity(self) -> tuple[str, ...]:
        config, objective = self._method.sparse_training, self._task.objective
        if config is None or self._sparse is None:
            return ()
        return (
            f"Before the first cut the network was trained for sparsity ({config.kind}, strength "
            f"{config.total:g}); its {objective.metric} on the validation data is "
            f"{self._sparse.value:.4g}.",
        )

    def _about_statistics(self, outcome: Outcome) -> tuple[str, ...]:
        images = getattr(self._method.config, "recalibration_images", 0)
        trainable, frozen = norms(outcome.pruned.model)
        if not (images and outcome.pruned.plan.kept and (trainable or frozen)):
            return ()
        anew = (
            "After each cut the statistics of BatchNormalization were estimated anew, on up to "
            f"{images:,} training examples."
        )
        alone = (
            "After each cut the statistics of BatchNormalization layers that are frozen were left "
            f"alone: {', '.join(frozen)}."
        )
        return (*([anew] if trainable else []), *([alone] if frozen else []))

    def _figures(self, model: keras.Model, validation: float) -> ModelFigures:
        """The figures of one model; the test data are read here and nowhere else."""
        metrics = self._task.evaluate(model, "test") if self._task.has_test else {}
        return model_figures(model, metrics, self._task.objective.metric, validation)

    def _write(self, outcome: Outcome, report: PruningReport) -> None:
        """What every run leaves beside the network; the report comes last: it says all is there."""
        assert self._directory is not None
        if outcome.pruned.plan.kept or report.groups:
            layers = compare(self._model, outcome.pruned.model).to_flat_frame()
            self._directory.write_frame("layers.csv", layers)
        epochs = self._context.ledger.epochs
        objective = self._task.objective
        draw_curves(
            epochs, objective.metric, objective.unit, self._context.baseline,
            self._directory / "training.svg",
        )  # fmt: skip
        self._directory.write_json("report.json", report.to_dict())
        if self._saved is not None:
            _remove_states(self._directory, self._saved)


def _remove_states(directory: RunDirectory, saved: Saved) -> None:
    """Removes what a run needs no more once it has its report."""
    saved.clear()
    directory.remove("trainings")


def _finished(directory: RunDirectory, saved: Saved, identity: Mapping[str, str]) -> Result:
    """What a run has left that was carried out to its end, if it is the one that is asked for."""
    report = directory.read_report(PruningReport)
    if not report.identity:
        raise ConfigError(
            f"The run in {directory.path} has ended, with a version of keras-prune that kept no "
            "account of what it was made with. Give another directory."
        )
    for name, now in identity.items():
        then = report.identity.get(name)
        if then != now:
            raise ConfigError(
                f"The run in {directory.path} has ended, and was one with another {name}: "
                f"{then}. Received: {now}. Give another directory."
            )
    _remove_states(directory, saved)  # if the run was killed after its report
    plan = PruningPlan.load(directory / "plan.json")
    return Result(load_model(directory / "pruned.keras"), plan, report)


def _regularizer(config: SparseTrainingConfig, task: Task) -> ChannelRegularizer:
    return regularizer(config, config.epochs * (config.steps_per_epoch or task.steps))


def _warn(*told: str | None) -> None:
    for sentence in filter(None, told):
        warnings.warn(sentence, ResultWarning, stacklevel=2)


def _identity(
    method: Method,
    model: keras.Model,
    task: Task,
    seed: int,
    precision: str,
    deterministic: bool,
) -> dict[str, str]:
    """What must be the same for a run to go on, or to be the one that has ended."""
    own = {
        "method": method.name,
        "configuration": _text(method.get_config()),
        # What was begun before there was the choice goes on.
        "seed": f"{seed}, deterministic" if deterministic else str(seed),
        "precision": precision,
        "model": fingerprint(model),
        "version of keras-prune": version("keras-prune"),
        "version of Keras": keras.__version__,
    }
    return own | {f"{split} data": text for split, text in task.identity().items()}


def _text(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True)


def _about_resuming(state: RunState) -> tuple[str, ...]:
    if not state.resumed:
        return ()
    times = "once" if state.resumed == 1 else f"{state.resumed} times"
    return (f"The run was ended before its time {times}, and went on.",)


def _about_exports(exports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in exports:
        if "failed" in each:
            path = Path(each["path"])
            source, target = (shlex.quote(str(p)) for p in (path.parent / "pruned.keras", path))
            yield (
                f"Not exported: {path}: {each['failed']} To try again: keras-prune export {source} "
                f"--out {target}"
            )


def _about_costs(uncounted: Mapping[str, str]) -> tuple[str, ...]:
    if not uncounted:
        return ()
    return (f"MACs and FLOPs are lower bounds: not counted are {reasons(uncounted)}.",)


def _groups(graph: ChannelGraph, plan: PruningPlan) -> tuple[GroupReport, ...]:
    gone = left_with(graph, plan.blocks)
    kept = {name: plan.kept.get(name, range(g.channels)) for name, g in graph.groups.items()}
    return tuple(
        GroupReport(name, group.channels, 0 if name in gone else len(kept[name]))
        for name, group in graph.groups.items()
    )


def _skipped(graph: ChannelGraph, outcome: Outcome) -> tuple[Skipped, ...]:
    """What stayed whole: groups left alone, and operations no rule can vouch for."""
    reasons = outcome.untouched.items()
    plan = outcome.pruned.plan
    whole = {group.name for group in _groups(graph, plan) if group.kept == group.channels}
    left = [Skipped(name, reason) for name, reason in reasons if name in whole]
    return (*left, *(Skipped(pin.name, pin.reason) for pin in graph.barriers))
