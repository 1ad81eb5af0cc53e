"""The command line run in this process, with a quick stand-in for the method itself."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from keras_prune.cli import main
from keras_prune.progress import Progress
from keras_prune.reporting import GroupReport, ModelFigures, PruningReport, Skipped


@dataclass
class Method:
    """Stands for the method's `run_recipe`, which a test may replace again."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def run_recipe(self, config, run, *, data_dir, weights, watcher, tracker) -> PruningReport:
        self.calls.append({"config": config, "run": run, "data_dir": data_dir, "weights": weights})
        run.write_text("config.toml", "")
        run.write_text("layers.csv", "name,parameters_before,parameters_after\nconv1,9,3\n")
        watcher(Progress("group conv1", 1, 2, {"reward": 0.5, "kept": 12}))
        watcher(Progress("group conv1", 2, 2, {"reward": 0.75, "kept": 10}))
        return PruningReport(
            method="filter_agent",
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
def method(monkeypatch) -> Method:
    from keras_prune.methods import filter_agent

    stand_in = Method()
    run = lambda *args, **kwargs: stand_in.run_recipe(*args, **kwargs)  # noqa: E731
    monkeypatch.setattr(filter_agent, "run_recipe", run)
    return stand_in


@pytest.fixture
def call(monkeypatch, capsys, tmp_path, method) -> Callable[..., Result]:
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
