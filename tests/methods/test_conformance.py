"""What every method does. A new one passes by a row in `ROWS`."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.errors import ConfigError, KerasPruneError
from keras_prune.graph import ChannelGraph
from keras_prune.methods import registry
from keras_prune.methods.config import RunConfig, load_run
from keras_prune.profiling import profile
from keras_prune.runtimes.loading import load_model
from keras_prune.training import SparseTrainingConfig, TrainingConfig
from keras_prune.utils.config import to_toml

layers = keras.layers
BRIEF = TrainingConfig(epochs=2, learning_rate=0.01, steps_per_epoch=2)


@dataclass(frozen=True)
class Row:
    """A method, and options under which it has several steps and is quick.

    Args:
        options: of the method.
        exclude: options under which the layer `second` stays whole; none where a method has no
            such option.
        regresses: whether it takes a task that is no classification.
        plain: whether its file loads with Keras alone.
        structural: whether the report's costs are those of the weights' shapes.
    """

    options: dict[str, Any]
    exclude: dict[str, Any] | None = field(default_factory=lambda: {"exclude": ("second",)})
    regresses: bool = True
    plain: bool = True
    structural: bool = True


ROWS = {
    "filter_agent": Row(
        {"b": 50.0, "samples": 3, "max_updates": 2, "patience": 2, "reward_images": 24},
    ),
    "magnitude": Row({"sparsity": 0.6, "threshold": "global", "steps": 2, "turns": 0}),
    "ranking": Row({"macs": 0.5, "steps": 2, "calibration_images": 24}),
    "rl_pruner": Row(
        {"macs": 0.6, "steps": 2, "samples": 3, "updates": 1, "depth": 2, "reward_images": 24,
         "calibration_images": 24},
    ),
    "rnp": Row(
        {"sets": 2, "steps": 2, "episodes": 2, "updates": 1, "calibration_images": 24, "code": 4,
         "units": 4},
        exclude=None, regresses=False, plain=False, structural=False,
    ),
}  # fmt: skip


def fast_for(*names: str) -> list[Any]:
    """All rows; the costly checks of the others are left to `pytest -m slow`."""
    return [pytest.param(name, marks=() if name in names else pytest.mark.slow) for name in ROWS]


@pytest.fixture(params=fast_for("magnitude", "ranking"))
def name(request) -> str:
    return request.param


@pytest.fixture
def row(name) -> Row:
    return ROWS[name]


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of three classes, told apart by where they are bright."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count).astype("int32")
    images = random.normal(0, 0.5, (count, 9, 9, 2)).astype("float32")
    for image, label in zip(images, labels, strict=True):
        image[3 * label : 3 * label + 3] += 1.5
    return images, labels


def network(outputs: int) -> keras.Model:
    """A network with what methods must cope with: a norm, a dropout, channels that are joined."""
    keras.utils.set_random_seed(7)
    image = keras.Input((9, 9, 2))
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(image)
    y = layers.BatchNormalization(name="norm")(
        layers.Conv2D(8, 3, padding="same", name="second")(x)
    )
    y = layers.Dropout(0.2, name="dropout")(layers.ReLU(name="relu")(y))
    y = layers.Conv2D(6, 3, padding="same", name="third")(y)
    x = layers.MaxPooling2D(name="pool")(layers.Add(name="add")([x, y]))
    x = layers.Dense(8, activation="relu", name="hidden")(layers.Flatten(name="flat")(x))
    return keras.Model(image, layers.Dense(outputs, name="head")(x), name="network")


@pytest.fixture(scope="module")
def model() -> keras.Model:
    made = network(3)
    kp.training.fit(
        made, task(), TrainingConfig(epochs=3, learning_rate=0.02), seed=0, validate=False
    )
    return made


def task(**others: Any) -> kp.Task:
    given = {"validation": pictures(30, 1), "test": pictures(30, 2), "batch_size": 16} | others
    return kp.Task(pictures(48, 0), **given)


def method(name: str, **others: Any) -> kp.methods.Method:
    return kp.methods.get(name, recovery=BRIEF, finetune=BRIEF, **ROWS[name].options, **others)


_results: dict[str, kp.methods.Result] = {}


@pytest.fixture
def result(name, model, tmp_path, monkeypatch) -> kp.methods.Result:
    """One run of each method, nowhere written; most tests look at the same one."""
    if name not in _results:
        monkeypatch.chdir(tmp_path)
        before = fingerprint(model)
        with reads_counted(monkeypatch, type(method(name))) as read:
            _results[name] = method(name).run(model, task(), seed=3)
        assert read == ["test"] * 2, "the network before, and after"
        assert fingerprint(model) == before
        assert not list(tmp_path.iterdir()), "it was to be written nowhere"
    return _results[name]


@contextlib.contextmanager
def reads_counted(monkeypatch, kind: type) -> Iterator[list[str]]:
    """Counts how often the test data are read, none of them before the last training."""
    read: list[str] = []
    original, finish = kp.Task.evaluate, kind.finish

    def finished(self, context, state):
        assert not read, "the test data were read before the last training had ended"
        return finish(self, context, state)

    def evaluate(self, model, split):
        read.extend([split] if split == "test" else [])
        return original(self, model, split)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "finish", finished)
        patch.setattr(kp.Task, "evaluate", evaluate)
        yield read


def weights(result: kp.methods.Result) -> list[np.ndarray]:
    return result.model.get_weights()


def assert_same(one: kp.methods.Result, other: kp.methods.Result) -> None:
    assert one.plan == other.plan
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
    changing = {"seconds": 0, "peak_memory_mb": 0, "exports": (), "resumed": 0, "notes": ()}
    reports = [dataclasses.replace(each.report, **changing) for each in (one, other)]
    assert reports[0] == reports[1]


def test_every_method_has_a_row():
    assert set(ROWS) == set(registry.available())


def fingerprint(model: keras.Model) -> list[bytes]:
    return [keras.ops.convert_to_numpy(variable).tobytes() for variable in model.variables]


def test_something_is_done(name, result):
    assert result.report.method == name
    assert result.report.after != result.report.before
    assert all(map(np.isfinite, result.report.pruned_values))
    assert name == "rnp" or result.report.pruned_values


class Killed(Exception):  # noqa: N818  # it is no error
    """Stands for a SIGKILL."""


@contextlib.contextmanager
def killed_after(batches: int) -> Iterator[None]:
    """The process comes through so many training batches and no further."""
    done, on_batch_end = 0, keras.callbacks.CallbackList.on_train_batch_end

    def count(self, *args, **kwargs):
        nonlocal done
        on_batch_end(self, *args, **kwargs)
        done += 1
        if done == batches:
            raise Killed

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(keras.callbacks.CallbackList, "on_train_batch_end", count)
        yield


@pytest.fixture
def resumed(name, model, tmp_path, monkeypatch) -> kp.methods.Result:
    """The same run in a directory, killed again and again; trainings are saved all the time."""
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")
    run = tmp_path / "run"
    for batches in (3, 200):
        with killed_after(batches):
            return method(name).run(model, task(), seed=3, directory=run)
    raise AssertionError("the last process is not killed")


@pytest.mark.parametrize("name", fast_for("ranking"), indirect=True)
def test_killed_and_resumed_a_run_ends_alike_and_its_files_are_whole(
    name, row, result, resumed, tmp_path
):
    run = tmp_path / "run"
    assert_same(resumed, result)
    assert resumed.report.resumed == 1
    assert "went on" in " ".join(resumed.report.notes)
    load = keras.models.load_model if row.plain else load_model
    images, _ = pictures(4, 5)
    np.testing.assert_allclose(load(run / "pruned.keras")(images), result.model(images), atol=1e-5)
    assert json.loads((run / "report.json").read_text())["method"] == name
    assert kp.PruningPlan.load(run / "plan.json") == result.plan
    assert {"baseline.keras", "history.csv", "training.csv"} <= {p.name for p in run.iterdir()}
    assert not {"state", "trainings"} & {path.name for path in run.iterdir()}


@pytest.mark.parametrize("name", fast_for(), indirect=True)
def test_a_training_for_sparsity_comes_first_and_goes_on_when_killed(
    name, model, tmp_path, monkeypatch
):
    sparse = SparseTrainingConfig(epochs=2, steps_per_epoch=2, strength=1.0)
    made, before = method(name, sparse_training=sparse), fingerprint(model)
    whole = made.run(model, task(), seed=3)
    assert fingerprint(model) == before
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")
    for batches in (3, 3, 200):  # in the training, behind it, to the end
        with killed_after(batches):
            result = made.run(model, task(), seed=3, directory=tmp_path / "run")
    assert_same(result, whole)
    assert result.report.before.validation == pytest.approx(
        kp.Task.value(task().bind(model), model)
    )
    assert not (tmp_path / "run" / "scores.json").exists(), "they are of the trained network"
    assert "trained for sparsity (group_lasso" in " ".join(result.report.notes)
    stages = (tmp_path / "run" / "training.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in stages][:2] == ["sparse training"] * 2


def test_a_killed_run_does_not_go_on_with_something_else(name, model, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_prune.methods.run.fix_order", lambda: None)  # it cannot be undone
    run = tmp_path / "run"
    with killed_after(2):
        method(name).run(model, task(), seed=3, directory=run)
    for words, given in (
        ("seed", {"seed": 4}),
        ("seed", {"deterministic": True}),
        ("validation data", {"task": task(validation=pictures(29, 1))}),
        ("model", {"model": network(3)}),
    ):
        options = {"model": model, "task": task(), "seed": 3} | given
        with pytest.raises(ConfigError, match=f"another {words}"):
            method(name).run(**options, directory=run)


def test_the_configuration_round_trips(name):
    made = method(name)
    again = kp.methods.get({"class_name": name, "config": made.get_config()})
    assert again.config == made.config
    assert (again.recovery, again.finetune) == (BRIEF, BRIEF)
    config = RunConfig(name, made.config, recovery=BRIEF, finetune=BRIEF)
    assert vars(load_run(read_text(to_toml(config)))) == vars(config)


def read_text(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)


def test_no_group_is_emptied(result, model):
    graph = ChannelGraph(model)
    for group, kept in result.plan.kept.items():
        assert 1 <= len(kept) <= graph.groups[group].channels


def test_the_reported_numbers_are_the_weights(row, result, model):
    report = result.report
    assert report.before.parameters == model.count_params()
    assert report.after.parameters == result.model.count_params()
    if row.structural:
        assert report.after.macs == profile(result.model).total.macs
        kept = {group.name: group.kept for group in report.groups}
        for group, channels in result.plan.kept.items():
            assert kept[group] == len(channels)
    bound = task().bind(model)
    assert report.after.test == pytest.approx(bound.value(result.model, "test"), abs=1e-4)


@pytest.mark.parametrize("name", fast_for("ranking", "rnp"), indirect=True)
def test_a_regression_is_a_task_like_any_other_and_excluded_layers_stay(name, row):
    made = network(1)
    made.compile("adam", "mse", metrics=["mae"])
    images, labels = pictures(48, 0)
    numbers = (images, labels[:, None].astype("float32"))
    regression = kp.Task(numbers, validation=numbers, batch_size=16)
    if not row.regresses:
        with pytest.raises(KerasPruneError, match="classif"):
            method(name).run(made, regression)
        return
    result = method(name, **row.exclude or {}).run(made, regression)
    assert (result.report.objective, result.report.direction) == ("mae", "min")
    assert 0 < result.report.after.validation < 5
    assert result.report.after.test is None
    if row.exclude is not None:
        whole, kept = (each.get_layer("second").kernel for each in (made, result.model))
        assert kept.shape[-1] == whole.shape[-1]
        assert np.count_nonzero(kept) == np.prod(kept.shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["filter_agent", "rl_pruner"], indirect=True)
def test_two_workers_come_to_the_same(name, model, result):
    assert_same(method(name).run(model, task(), seed=3, workers=2), result)


def test_a_task_without_validation_is_refused(name, model):
    with pytest.raises(KerasPruneError, match="no validation data"):
        method(name).run(model, kp.Task(pictures(48, 0)))
