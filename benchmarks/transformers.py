"""How much faster transformers are with half of their heads and of their MLPs' width.

A ViT-like and a BERT-like network are pruned at random, for only their shapes matter, and timed
beside the whole ones, interleaved, as Keras and LiteRT files.

    python benchmarks/transformers.py
"""

import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--batch-sizes", default="1,32", show_default=True)
@click.option("--turns", default=10, show_default=True)
def main(batch_sizes: str, turns: int) -> None:
    """Prints MACs, and the speed-up of each format and batch size."""
    import keras_prune as kp

    for make in (vit, bert):
        model = make()
        graph = kp.ChannelGraph(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            scores = kp.criteria.get("random")(graph)
            small = kp.prune(model, kp.Budget(ratio=0.5, scope="local").allocate(graph, scores))
        before, after = (kp.profile(x).total for x in (model, small))
        click.echo(f"\n{model.name}: MACs {before.macs:,} -> {after.macs:,}, ", nl=False)
        click.echo(f"{before.macs / after.macs:.2f} times fewer; {len(graph.groups)} groups\n")
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for network, name in ((model, "whole"), (small, "half")):
                for suffix in (".keras", ".tflite"):
                    paths.append(Path(folder) / f"{name}{suffix}")
                    kp.export(network, paths[-1])
            sizes = [f"--batch-size={size}" for size in batch_sizes.split(",")]
            # In a process of its own, for TensorFlow takes no other number of threads here.
            command = ["keras-prune", "benchmark", *map(str, paths), *sizes, f"--turns={turns}"]
            subprocess.run(command, check=True)


def _block(x: Any, heads: int, width: int, name: str) -> Any:
    from keras import layers

    size = x.shape[-1]
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(heads, size // heads, name=f"{name}_attention")(y, y)
    x = layers.Add()([x, y])
    y = layers.Dense(width, activation="gelu", name=f"{name}_wide")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(size)(y)])


def vit() -> Any:
    """64 patches, 6 blocks of 192 channels, 6 heads."""
    import keras
    from keras import layers

    image = keras.Input((64, 64, 3))
    x = layers.Reshape((64, 192))(layers.Conv2D(192, 8, strides=8)(image))
    for number in range(6):
        x = _block(x, 6, 768, f"block{number}")
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(image, layers.Dense(10)(x), name="vit")


def bert() -> Any:
    """128 tokens, 4 blocks of 256 channels, 4 heads."""
    import keras
    from keras import layers

    tokens = keras.Input((128,), dtype="int32")
    x = layers.LayerNormalization()(layers.Embedding(1000, 256)(tokens))
    for number in range(4):
        x = _block(x, 4, 1024, f"block{number}")
    return keras.Model(tokens, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)), name="bert")


if __name__ == "__main__":
    main()
