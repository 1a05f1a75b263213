"""Plots: lines over time."""
