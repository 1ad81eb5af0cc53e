"""What a run leaves behind: its directory, its report and the tables made from it."""

from keras_prune.reporting.figures import model_figures
from keras_prune.reporting.memory import peak_memory_mb
from keras_prune.reporting.report import GroupReport, ModelFigures, PruningReport, Skipped
from keras_prune.reporting.run_directory import RunDirectory
from keras_prune.reporting.tables import figures_frame, groups_frame, summary_frame
from keras_prune.reporting.training_report import TrainingReport, class_names_beside

__all__ = [
    "GroupReport",
    "ModelFigures",
    "PruningReport",
    "RunDirectory",
    "Skipped",
    "TrainingReport",
    "class_names_beside",
    "figures_frame",
    "groups_frame",
    "model_figures",
    "peak_memory_mb",
    "summary_frame",
]
