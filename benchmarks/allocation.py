"""How to share out what is pruned: RL-Pruner against uniform, globally ranked and random cuts.

One trained network; every method cuts it to the same fraction of MACs in as many stages, with the
same fine-tuning after each and at the end. Only the search sees more: the validation images of its
rewards. All accuracies are of the test split.

    python benchmarks/allocation.py [--dataset cifar10] [--side 16] [--macs 0.4] [--seeds 3]
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

METHODS = {
    "uniform, l1": ("l1", "local"),
    "global, taylor": ("taylor", "global"),
    "random": ("random", "global"),
    "RL-Pruner, taylor": ("taylor", None),
}


@click.command()
@click.option("--model", default="resnet20", show_default=True)
@click.option("--dataset", default="cifar10", show_default=True)
@click.option("--side", default=16, show_default=True, help="Of the images, in pixels.")
@click.option("--macs", default=0.4, show_default=True, help="Fraction to keep.")
@click.option("--stages", default=1, show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", default=4, show_default=True, help="Of the baseline, of --steps each.")
@click.option("--steps", default=150, show_default=True)
@click.option("--samples", default=12, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--images", default=400, show_default=True, help="Of a reward, and of scores.")
@click.option("--weights", type=click.Path(path_type=Path), help="The baseline; kept there.")
def main(model: str, dataset: str, side: int, weights: Path | None, **options: Any) -> None:
    """Prints a row per run, and the mean and deviation of each method."""
    from keras_prune import data

    splits = data.load(dataset, input_shape=(side, side, 3))
    trained = _baseline(model, splits, options, weights)
    click.echo(f"baseline {_accuracy(trained, splits):.2f} % of the test split")
    click.echo(f"{'method':18} seed  before   after    macs  seconds")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    for seed in range(options["seeds"]):
        for name in METHODS:
            found[name].append(_run(name, trained, splits, options, seed))
    for name, pairs in found.items():
        means, spread = (
            np.mean(pairs, axis=0),
            np.std(pairs, axis=0, ddof=1 if len(pairs) > 1 else 0),
        )
        cells = (f"{m:.2f} ± {s:.2f}" for m, s in zip(means, spread, strict=True))
        click.echo(f"| {name} | {' | '.join(cells)} |")


def _baseline(model: str, splits: Any, options: dict[str, Any], weights: Path | None) -> Any:
    import keras

    from keras_prune import zoo
    from keras_prune.training import TrainingConfig, fit

    if weights and weights.exists():
        return keras.models.load_model(weights)
    keras.utils.set_random_seed(0)
    network = zoo.build(model, splits.input_shape, splits.num_classes)
    steps = {"epochs": options["epochs"], "steps_per_epoch": options["steps"]}
    fit(network, splits, TrainingConfig(learning_rate=0.2, weight_decay=5e-3, **steps), seed=0)
    if weights:
        network.save(weights)
    return network


def _run(name: str, trained: Any, splits: Any, options: dict[str, Any], seed: int) -> Any:
    """One method with one seed: accuracy right after the last cut, and after fine-tuning."""
    from keras_prune.profiling import profile
    from keras_prune.training import TrainingConfig, fit

    started, trainings, before = time.monotonic(), [], []
    last = f"stage {options['stages']}"

    def recover(model: Any, stage: str) -> None:
        if stage.endswith(last):
            before.append(_accuracy(model, splits))
        train(model, TrainingConfig(1, 0.02, options["steps"] // 3, "cosine"))

    def train(model: Any, config: Any) -> None:
        trainings.append(config)
        fit(model, splits, config, seed=100 * seed + len(trainings))

    criterion, scope = METHODS[name]
    cut = _searched if scope is None else _ranked
    small = cut(trained, splits, options, seed, criterion, scope, recover)
    train(small, TrainingConfig(1, 0.05, options["steps"]))
    after = _accuracy(small, splits)
    share = profile(small).total.macs / profile(trained).total.macs
    click.echo(
        f"{name:18} {seed:4}  {before[0]:6.2f}  {after:6.2f}  {share:6.3f}  "
        f"{time.monotonic() - started:7.1f}"
    )
    return before[0], after


def _ranked(
    trained: Any,
    splits: Any,
    options: dict[str, Any],
    seed: int,
    criterion: str,
    scope: str,
    recover: Callable[[Any, str], None],
) -> Any:
    from keras_prune import criteria
    from keras_prune.budgets import Budget
    from keras_prune.methods.ranking import prune_in_steps

    config = {"seed": seed} if criterion == "random" else {}
    score = criteria.get({"class_name": criterion, "config": config})
    images = splits.training_sample(options["images"])
    stages = options["stages"]
    done = prune_in_steps(
        trained,
        Budget(macs=options["macs"], scope=scope),
        stages,
        score=lambda graph: score(graph, images),
        recover=recover,
    )
    recover(done.model, f"stage {stages}")  # the search recovers after its last stage, too
    return done.model


def _searched(
    trained: Any,
    splits: Any,
    options: dict[str, Any],
    seed: int,
    criterion: str,
    scope: None,
    recover: Callable[[Any, str], None],
) -> Any:
    from keras_prune.graph import ChannelGraph
    from keras_prune.methods.outcome import Outcome
    from keras_prune.methods.rl_pruner import RLPruner, RLPrunerConfig
    from keras_prune.plan import PruningPlan

    given = {name: options[name] for name in ("macs", "stages", "samples", "rounds", "images")}
    pruner = RLPruner(
        Outcome(trained, PruningPlan.for_graph(ChannelGraph(trained), {}), 100.0),
        splits.validation_arrays(options["images"]),
        RLPrunerConfig(criterion=criterion, **given),
        recover=recover,
        accuracy=lambda model: 100.0,  # only what `max_drop` would need
        seed=seed,
        calibration=splits.training_sample(options["images"]),
    )
    state = pruner.start()
    while not state.ended:
        state = pruner.advance(state)
    for row in state.history:
        click.echo(
            f"    stage {row['stage']}: uniform or unmoved {row['unmoved_return'] or np.nan:.1f}, "
            f"mean {row['mean_return']:.1f}, chosen {row['chosen_return']:.1f}"
        )
    return state.model


def _accuracy(model: Any, splits: Any) -> float:
    from keras_prune.training import evaluate

    return evaluate(model, splits.test).accuracy


if __name__ == "__main__":
    main()
