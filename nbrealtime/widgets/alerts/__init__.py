"""Alerts, as people see them: in a log, on plots, and in pages that nobody looks at."""
