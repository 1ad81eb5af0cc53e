"""The command line run in this process, with a quick stand-in for the run itself."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from keras_prune.cli import main
from keras_prune.reporting import GroupReport, ModelFigures, PruningReport, Skipped
from keras_prune.utils.progress import Progress


@dataclass
class Driver:
    """Stands for `run_from_config`, which a test may replace again."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def run(self, config, directory, *, observers, **options) -> PruningReport:
        self.calls.append({"config": config, "run": directory, "observers": observers, **options})
        directory.write_text("config.toml", "")
        directory.write_text("layers.csv", "name,parameters_before,parameters_after\nconv1,9,3\n")
        observers.progress(Progress("group conv1", 1, 2, {"reward": 0.5, "kept": 12}))
        observers.progress(Progress("group conv1", 2, 2, {"reward": 0.75, "kept": 10}))
        return PruningReport(
            method=config.method,
            model=config.common.model,
            dataset=config.common.dataset,
            seed=config.common.seed,
            config={},
            before=ModelFigures(98.5, 0.1, 99.0, 14_995_146, 4000, 8100, 59_980_584),
            after=ModelFigures(98.25, 0.2, 98.5, 1_250_000, 1000, 2050, 5_000_000),
            groups=(GroupReport("block1_conv1", 64, 16),),
            skipped=(Skipped("logits", "it is the model's output"),),
            notes=("The plan of block1_conv1 was backed off.",),
            seconds=61.2,
            peak_memory_mb=900.4,
        )


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def driver(monkeypatch) -> Driver:
    from keras_prune.methods import experiment

    stand_in = Driver()
    run = lambda *args, **kwargs: stand_in.run(*args, **kwargs)  # noqa: E731
    monkeypatch.setattr(experiment, "run_from_config", run)
    # TensorFlow cannot be brought back from it.
    monkeypatch.setattr("keras_prune.training.determinism.fix_order", lambda: None)
    return stand_in


@pytest.fixture
def call(monkeypatch, capsys, tmp_path) -> Callable[..., Result]:
    """Runs `keras-prune` with arguments in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: Any) -> Result:
        monkeypatch.setattr(sys, "argv", ["keras-prune", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Result(stop.value.code or 0, *capsys.readouterr())

    return run
