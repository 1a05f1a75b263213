"""Tiles and gauges: one number, and what it means."""
