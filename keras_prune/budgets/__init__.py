"""Scores and a budget make a plan: how much stays, and where it is taken from."""

from keras_prune.budgets.budget import Budget

__all__ = ["Budget"]
