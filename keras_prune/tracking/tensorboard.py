"""TensorBoard's event files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_prune.errors import ConfigError
from keras_prune.tracking.observer import Epoch, Observer


class TensorBoardLogs(Observer):
    """Event files in `folder/<stage>/train` and `folder/<stage>/validation`.

    They are laid out and named as `keras.callbacks.TensorBoard` does it (`epoch_loss`, ...). That
    callback needs the package tensorboard, which TensorFlow has stopped to bring along; TensorFlow
    alone can write.

    Args:
        folder: the log directory; it is made.

    Raises:
        ConfigError: the directory cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(f"TensorBoard in {folder}")
        self._folder = folder
        self._stage = ""
        self._writers: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"Cannot write TensorBoard's logs to {folder}: {error.strerror}. "
                "Give another --tensorboard."
            ) from error

    def epoch(self, epoch: Epoch) -> None:
        """Writes the epoch's figures, those of the validation split apart."""
        for split, prefix in (("train", ""), ("validation", "val_")):
            figures = {
                f"epoch_{name.removeprefix('val_')}": value
                for name, value in epoch.row.items()
                if name.startswith("val_") == bool(prefix)
            }
            if figures:
                self._write(_file_name(epoch.stage), split, epoch.number, figures)

    def step(self, series: str, step: int, figures: Mapping[str, float]) -> None:
        """Writes the figures to `folder/<series>`."""
        self._write(_file_name(series), "", step, figures)

    def end(self, status: str, folder: Path) -> None:
        """Closes the files."""
        self._close()

    def _write(self, stage: str, split: str, step: int, figures: Mapping[str, float]) -> None:
        import tensorflow as tf

        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR"
        )
        writer = self._writer(stage, split)
        with writer.as_default():
            for name, value in figures.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step, metadata)
        writer.flush()

    def _writer(self, stage: str, split: str) -> Any:
        """An open file; those of the stage before are closed, for a run may have hundreds."""
        import tensorflow as tf

        if stage != self._stage:
            self._close()
            self._stage = stage
        if split not in self._writers:
            folder = self._folder / stage / split
            self._writers[split] = tf.summary.create_file_writer(str(folder))
        return self._writers[split]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def _file_name(stage: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", stage)
