"""What residual blocks that leave whole gain over channels alone, at the same multiply-accumulates.

A residual network is trained once and cut to fractions of its MACs, with and without blocks, each
cut followed by the same fine-tuning. Accuracies are of the validation images.

    python benchmarks/depth.py resnet56 --dataset digits --epochs 10
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import click
import pandas as pd


@click.command()
@click.argument("network", default="resnet56")
@click.option("--dataset", default="digits", show_default=True)
@click.option("--side", default=16, show_default=True, help="Of the images, in pixels.")
@click.option("--epochs", default=10, show_default=True, help="Of the baseline.")
@click.option("--criterion", default="combined", show_default=True)
@click.option("--fractions", default="0.7,0.5,0.3", show_default=True, help="Of the MACs.")
@click.option("--steps", default=100, show_default=True, help="Of fine-tuning.")
@click.option("--seeds", default=1, show_default=True)
def main(network: str, criterion: str, fractions: str, steps: int, seeds: int, **how: Any) -> None:
    """Prints a row per cut: blocks that left, accuracy right after the cut and fine-tuned."""
    import keras_prune as kp

    model, task = _trained(network, **how)
    click.echo(f"{network}: {task.bind(model).value(model):.1f} % before")
    click.echo("| MACs | blocks may leave | seed | left | after the cut | fine-tuned | latency |")
    click.echo("|---|---|---|---|---|---|---|")
    for fraction in map(float, fractions.split(",")):
        for blocks in (False, True):
            for seed in range(seeds):
                method = kp.methods.Ranking(
                    macs=fraction, criterion=criterion, blocks=blocks, finetune=_finetune(steps)
                )
                with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    result = method.run(model, task, seed=seed, directory=Path(folder) / "run")
                    history = pd.read_csv(Path(folder) / "run" / "history.csv")
                report = result.report
                click.echo(
                    f"| {report.after.macs / report.before.macs:.2f} | {blocks} | {seed} | "
                    f"{len(result.plan.blocks)} | {history['pruned_value'].iloc[-1]:.1f} | "
                    f"{report.after.validation:.1f} | {_share(result.model, model):.2f} |"
                )


def _trained(network: str, dataset: str, side: int, epochs: int) -> tuple[Any, Any]:
    import keras

    import keras_prune as kp
    from keras_prune.training import TrainingConfig, fit

    splits = kp.data.load(dataset, input_shape=(side, side, 3))
    keras.utils.set_random_seed(0)
    model = kp.zoo.build(network, splits.input_shape, splits.num_classes)
    task = kp.Task(splits)
    fit(model, task, TrainingConfig(epochs=epochs, learning_rate=0.05), seed=0)
    return model, task


def _finetune(steps: int) -> Any:
    from keras_prune.training import TrainingConfig

    return TrainingConfig(epochs=1, learning_rate=0.01, steps_per_epoch=steps)


def _share(small: Any, whole: Any) -> float:
    """Latency in TFLite, batch 1, as a fraction of the whole network's."""
    from keras_prune.benchmarking.latency import tflite_latency
    from keras_prune.budgets.latency import share_of

    return share_of(tflite_latency, small, whole)


if __name__ == "__main__":
    main()
