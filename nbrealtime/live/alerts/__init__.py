"""Alerts: conditions on what a topic carries."""
