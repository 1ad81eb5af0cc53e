"""What a training for sparsity gains: cuts after it, and after the same training without.

ResNet-20 of `peer.py` (its first run makes the file) is trained a little further, once for each
kind of pressure and once without; each network is then cut by one criterion, its statistics
estimated anew, and fine-tuned by equal steps. Accuracies are of the validation images.

    python benchmarks/sparse_training.py --weights resnet20.keras --epochs 2
"""

import warnings
from pathlib import Path
from typing import Any

import click

KINDS = ("none", "group_lasso", "bn_scale", "growing")


@click.command()
@click.option("--weights", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--kinds", default=",".join(KINDS), show_default=True)
@click.option("--epochs", default=2, show_default=True, help="Of the training for sparsity.")
@click.option("--strength", type=float, help="Of the pressure; default: that of its kind.")
@click.option("--criteria", default="l1,combined", show_default=True)
@click.option("--fractions", default="0.5,0.3", show_default=True, help="Of the MACs.")
@click.option("--steps", default=200, show_default=True, help="Of fine-tuning.")
@click.option("--seed", default=0, show_default=True)
def main(weights: Path, kinds: str, criteria: str, fractions: str, steps: int, **how: Any) -> None:
    """Prints a table: accuracy before the cut, and for each cut right after it and fine-tuned."""
    import keras

    import keras_prune as kp

    task = kp.Task(kp.data.load("cifar10", input_shape=(32, 32, 3)))
    cuts = [(c, float(f)) for f in fractions.split(",") for c in criteria.split(",")]
    click.echo("| kind | before | " + " | ".join(f"`{c}`, {f:g}" for c, f in cuts) + " |")
    click.echo("|---|---|" + "---|" * len(cuts))
    for kind in kinds.split(","):
        model = keras.models.load_model(weights, compile=False)
        _train(model, task, kind, **how)
        cells = [_cut(model, task, *cut, steps, how["seed"]) for cut in cuts]
        click.echo(f"| {kind} | {_accuracy(model, task):.1f} | " + " | ".join(cells) + " |")


def _train(
    model: Any, task: Any, kind: str, epochs: int, strength: float | None, seed: int
) -> None:
    from keras_prune.training import SparseTrainingConfig, fit
    from keras_prune.training.sparsity import regularizer

    chosen = {} if kind == "none" else {"kind": kind, "strength": strength}
    config = SparseTrainingConfig(epochs=epochs, **chosen)  # type: ignore[arg-type]
    bound = task.bind(model)
    pressing = [] if kind == "none" else [regularizer(config, epochs * bound.steps)]
    fit(model, task, config, seed=seed, callbacks=pressing)


def _cut(model: Any, task: Any, criterion: str, fraction: float, steps: int, seed: int) -> str:
    """Accuracy right after a cut and after a fine-tuning."""
    import keras_prune as kp
    from keras_prune.training import TrainingConfig, fit

    x, y, _ = task.bind(model).examples("train", 1000)
    graph = kp.ChannelGraph(model)
    scores = kp.criteria.get(criterion)(graph, (x, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        small = kp.prune(model, kp.Budget(macs=fraction).allocate(graph, scores))
    kp.recalibrate(small, x)
    after = _accuracy(small, task)
    fit(small, task, TrainingConfig(epochs=1, learning_rate=0.01, steps_per_epoch=steps), seed=seed)
    return f"{after:.1f} → {_accuracy(small, task):.1f}"


def _accuracy(model: Any, task: Any) -> float:
    return task.bind(model).value(model)


if __name__ == "__main__":
    main()
