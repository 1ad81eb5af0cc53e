"""Step by step to a budget."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune import Task
from keras_prune.errors import ConfigError, ModelError, PlanError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.context import Context
from keras_prune.methods.ranking import Ranking
from keras_prune.methods.ranking.method import _Measured
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from keras_prune.training import SparseTrainingConfig, TrainingConfig
from tests.methods.filter_agent.small import residual_network
from tests.methods.tiny import SPLITS, TRAININGS, assert_same_weights, context, trained

RANDOM = np.random.default_rng(0)
DATA = RANDOM.normal(size=(40, 8, 8, 3)).astype("float32"), RANDOM.integers(0, 4, 40)


def ranking(**options):
    given = (
        {"criterion": "l1", "steps": 3, "macs": 0.4, "recalibration_images": 0}
        | TRAININGS
        | options
    )
    if {"ratio", "params"} & options.keys():
        del given["macs"]
    return Ranking(**given)


@pytest.fixture(scope="module")
def model():
    return residual_network(seed=0)


@pytest.fixture
def run(model, monkeypatch):
    """A run whose trainings do nothing but are listed."""
    monkeypatch.setattr(
        Context, "fit", lambda self, model, config, stage, **_: self.fitted.append((stage, model))
    )
    made = context(model, Task(DATA, validation=DATA))
    made.fitted = []
    return made


def states_of(method, run):
    states = [method.start(run)]
    while not states[-1].done:
        states.append(method.step(run, states[-1]))
    return states


def channels(model):
    return sum(group.channels for group in ChannelGraph(model).groups.values())


def test_the_budget_counts_from_the_original_and_every_step_takes_the_same_fraction(model, run):
    states = states_of(ranking(), run)
    whole = profile(model).total.macs
    left = [profile(state.model).total.macs for state in states]
    for number, macs in enumerate(left):
        assert 0.8 * 0.4 ** (number / 3) < macs / whole <= 0.4 ** (number / 3)
    history = states[-1].history
    assert [row["macs"] for row in history] == left[1:]
    assert [row["channels"] for row in history] == [channels(s.model) for s in states[1:]]
    assert [row["parameters"] for row in history] == [s.model.count_params() for s in states[1:]]
    assert [state.step for state in states] == [0, 1, 2, 3]


def test_the_plan_leads_to_the_model(model, run):
    last = states_of(ranking(), run)[-1]
    assert_same_weights(prune(model, last.plan), last.model)


def test_the_model_recovers_between_the_cuts_and_once_at_the_end(run):
    method = ranking()
    states = states_of(method, run)
    assert [stage for stage, _ in run.fitted] == ["recover 1/3", "recover 2/3"]
    assert [model for _, model in run.fitted] == [state.model for state in states[1:3]]
    outcome = method.finish(run, states[-1])
    assert run.fitted[2:] == [("fine-tune", outcome.pruned.model)]
    assert outcome.pruned.value == run.value(states[-1].model)


def test_the_scores_are_those_of_what_is_left(run, monkeypatch):
    seen = []
    scores = Context.scores
    monkeypatch.setattr(
        Context,
        "scores",
        lambda self, graph, *given: seen.append(graph.model) or scores(self, graph, *given),
    )
    states = states_of(ranking(), run)
    assert [channels(model) for model in seen] == [channels(state.model) for state in states[:3]]


def test_a_step_leaves_the_state_it_was_given(model, run):
    method = ranking()
    first = method.step(run, method.start(run))
    plan, weights = dict(first.plan.kept), [w.copy() for w in first.model.get_weights()]
    second, again = method.step(run, first), method.step(run, first)
    assert (first.step, first.plan.kept, len(first.history)) == (1, plan, 1)
    for old, now in zip(weights, first.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert second.plan == again.plan and second.history == again.history


@pytest.mark.slow
def test_steps_whose_budget_is_met_already_cut_nothing(run):
    """There are far fewer channels than steps."""
    last = states_of(ranking(steps=200, ratio=0.2), run)[-1]
    assert last.step == 200
    assert 1 < len(last.history) < 10
    assert len(run.fitted) < 10


@pytest.mark.slow
def test_a_budget_that_was_missed_is_said(run):
    method = ranking(steps=1, ratio=0.98)
    [note] = method.finish(run, states_of(method, run)[-1]).notes
    assert "ratio=0.98 cannot be met: the plan keeps" in note
    method = ranking(ratio=0.5)
    assert method.finish(run, states_of(method, run)[-1]).notes == ()


def test_where_nothing_more_may_leave_the_steps_end(run):
    method = ranking(ratio=0.7, max_ratio=0.5)
    states = states_of(method, run)
    assert len(states[-1].history) == 2
    assert len(run.fitted) == 1  # between the two cuts
    [note] = method.finish(run, states[-1]).notes
    assert "ratio=0.7 cannot be met: " in note and "max_ratio=0.5" in note
    assert states[-1].done and states[-1].model is states[-2].model


def test_what_is_excluded_stays_whole_and_is_said(run):
    method = ranking(exclude=("stem",))
    last = states_of(method, run)[-1]
    assert last.plan.kept["stem"] == tuple(range(last.plan.channels["stem"]))
    assert "excluded" in method.finish(run, last).untouched["stem"]


def test_a_budget_that_changes_nothing_is_refused(model):
    with pytest.raises(ConfigError, match="would change nothing"):
        ranking(macs=1.0).check(model, None)
    with pytest.raises(ConfigError, match="Unknown layer or group to exclude"):
        ranking(exclude=("nothing",)).check(model, None)


@pytest.mark.slow
def test_scores_are_not_computed_on_validation_or_test_images(monkeypatch):
    seen = []

    def score(self, graph, data=None):
        seen.append(data)
        return {name: np.arange(group.channels) for name, group in graph.groups.items()}

    monkeypatch.setattr("keras_prune.criteria.Criterion.__call__", score)
    method = ranking(criterion="taylor", steps=1, calibration_images=50)
    states_of(method, context(trained()))
    [(images, labels)] = seen
    for found, expected in zip((images, labels), SPLITS.training_sample(50), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_regression_is_ranked_by_its_own_loss():
    """With a weight of 0 for one of the outputs, what only that one needs goes first."""
    image = keras.Input((8, 8, 3))
    keras.utils.set_random_seed(0)
    x = keras.layers.GlobalAveragePooling2D()(image)
    sides = [keras.layers.Dense(6, activation="relu", name=name)(x) for name in ("left", "right")]
    outputs = [keras.layers.Dense(1, name=f"{n}_out")(s) for n, s in enumerate(sides)]
    model = keras.Model(image, outputs)
    model.compile(loss=["mse", "mse"], loss_weights=[1.0, 0.0])
    y = DATA[0].mean(axis=(1, 2, 3))[:, None]
    data = DATA[0], (y, y)
    method = ranking(criterion="taylor", ratio=0.5, steps=1, normalize="none")
    made = context(model, Task(data, validation=data))
    kept = method.step(made, method.start(made)).plan.kept
    assert len(kept["left"]) > len(kept["right"]) == 1


@pytest.mark.slow
def test_scores_are_kept_and_rank_for_another_budget(tmp_path, monkeypatch, model):
    monkeypatch.setattr(Context, "fit", lambda *_, **__: None)
    made = context(model, Task(DATA, validation=DATA))
    made.directory = tmp_path
    states_of(ranking(steps=1), made)
    again = ranking(steps=1, macs=0.6, criterion="random", scores=str(tmp_path / "scores.json"))
    again.check(model, None)
    kept = states_of(again, made)[-1].plan.kept
    assert kept == states_of(ranking(steps=1, macs=0.6), made)[-1].plan.kept
    with pytest.raises(PlanError, match="scores were made for another model"):
        again.check(trained(), None)


def test_scores_are_not_for_a_network_that_is_trained_before():
    with pytest.raises(ConfigError, match="scores and sparse_training contradict"):
        Ranking(macs=0.5, scores="scores.json", sparse_training=SparseTrainingConfig())


@pytest.mark.parametrize(
    "criterion",
    ["taylor", *(pytest.param(n, marks=pytest.mark.slow) for n in ("fisher", "combined"))],
)
def test_masks_behind_a_sigmoid_are_ranked_by_their_own_loss(criterion):
    i = keras.Input((4, 4, 2))
    made = keras.Model(i, kl.Conv2D(1, 1, activation="sigmoid")(kl.Conv2D(6, 1, name="a")(i)))
    random = np.random.default_rng(0)
    data = (
        random.normal(size=(20, 4, 4, 2)).astype("float32"),
        random.integers(0, 2, (20, 4, 4, 1)),
    )
    brief = TrainingConfig(epochs=1, learning_rate=0.01)
    pruner = Ranking(criterion=criterion, ratio=0.5, finetune=brief)
    result = pruner.run(made, Task(data, validation=data))
    assert len(result.plan.kept["a"]) == 3


def test_nothing_to_press_is_refused_before_anything_is_written(tmp_path):
    i = keras.Input((4,))
    made = keras.Model(i, kl.Dense(2)(kl.Dense(6, name="a")(i)))
    data = np.ones((8, 4), "float32"), np.zeros(8, "int32")
    pruner = Ranking(ratio=0.5, sparse_training=SparseTrainingConfig(kind="bn_scale"))
    with pytest.raises(ModelError, match="no BatchNormalization with a scale"):
        pruner.run(made, Task(data, validation=data), directory=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_scores_are_for_one_step():
    with pytest.raises(ConfigError, match=r"scores: expected steps=1.* Received: steps=3"):
        ranking(scores="scores.json")


def test_a_group_without_scores_stays_whole_and_says_why(run, model):
    method = ranking(criterion="bn_scale", steps=1, macs=0.6)
    state = states_of(method, run)[-1]
    whole = {name for name, group in ChannelGraph(model).groups.items() if name in state.untouched}
    assert all(len(state.plan.kept[name]) == state.plan.channels[name] for name in whole)
    outcome = method.finish(run, state)
    assert whole <= outcome.untouched.keys()


class TestBlocks:
    """Residual blocks leave beside channels, in one plan."""

    @pytest.fixture(scope="class")
    def idle(self):
        """A network one of whose two blocks does nothing, and data that it makes itself."""
        i = keras.Input((8, 8, 3))
        x = kl.Conv2D(6, 3, padding="same", activation="relu", name="stem")(i)
        for number, width in enumerate((8, 10)):
            branch = kl.Conv2D(width, 3, padding="same", name=f"inside{number}")(x)
            branch = kl.Conv2D(6, 3, padding="same", name=f"last{number}")(kl.ReLU()(branch))
            x = kl.Add(name=f"sum{number}")([x, branch])
        x = kl.GlobalAveragePooling2D()(x)
        model = keras.Model(i, kl.Dense(4, activation="softmax", name="logits")(x))
        model.get_layer("last0").kernel.assign(0 * model.get_layer("last0").kernel)
        return model, (DATA[0], model.predict(DATA[0], verbose=0))

    def test_the_block_that_does_nothing_leaves(self, idle, tmp_path):
        """Without it the outputs are the same; any channel less changes them."""
        model, data = idle
        method = ranking(macs=0.7, steps=1, blocks=True)
        task = Task(data, validation=data, loss="mse", metrics=[], objective="loss")
        result = method.run(model, task, directory=tmp_path / "run")
        assert result.plan.blocks == ("last0:branch",)
        assert "Residual blocks that left: last0:branch." in result.report.notes
        kept = {group.name: group.kept for group in result.report.groups}
        assert kept["inside0"] == 0 and kept["inside1"] > 0
        assert "inside0" not in {layer.name for layer in result.model.layers}
        share = profile(result.model).total.macs / profile(model).total.macs
        assert share <= 0.7

    @pytest.mark.parametrize("own", [False, True])
    def test_what_a_plan_is_worth(self, idle, own):
        """Measured without rebuilding, as the network it gives is worth."""
        model, (images, outputs) = idle
        data = images, outputs.argmax(axis=-1)

        def measured(network):
            return {"accuracy": float(network.predict(data[0], verbose=0).max())}

        task = Task(data, validation=data, **({"evaluate": measured} if own else {}))
        run, graph = context(model, task), ChannelGraph(model)
        value = _Measured(run, graph, 40)
        plan = PruningPlan.for_graph(graph, {"inside1": (0, 4, 7)}, ["last0:branch"])
        for each in (plan, PruningPlan.for_graph(graph, {}, ["last1:branch"])):
            expected = run.objective.gain(run.value(prune(model, each)))
            assert value(each) == pytest.approx(expected, abs=1e-4)

    def test_one_step(self):
        with pytest.raises(ConfigError, match="blocks: expected steps=1"):
            ranking(blocks=True)
