"""Heatmaps and spectrograms: columns over time."""
