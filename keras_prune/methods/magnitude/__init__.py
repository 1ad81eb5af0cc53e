"""Magnitude pruning: single weights, the smallest first, with TFMOT's engine or by Han's loop."""
