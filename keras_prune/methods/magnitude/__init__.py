"""Magnitude pruning: single weights, the smallest first, with TFMOT's engine or by Han's loop."""

from keras_prune.methods.magnitude.config import (
    MagnitudeCommon,
    MagnitudeConfig,
    MagnitudeRecipe,
    TestConfig,
)
from keras_prune.methods.magnitude.loop import prune_weights
from keras_prune.methods.magnitude.masks import Masks
from keras_prune.methods.magnitude.project import located, project_of
from keras_prune.methods.magnitude.remasking import Remasking
from keras_prune.methods.magnitude.run import STAGES, check_files, run_recipe
from keras_prune.methods.magnitude.tables import TITLES, layer_tables, summary

__all__ = [
    "STAGES",
    "TITLES",
    "MagnitudeCommon",
    "MagnitudeConfig",
    "MagnitudeRecipe",
    "Masks",
    "Remasking",
    "TestConfig",
    "check_files",
    "layer_tables",
    "located",
    "project_of",
    "prune_weights",
    "run_recipe",
    "summary",
]
