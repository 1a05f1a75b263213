"""What a saved notebook shows of widgets whose kernel is gone."""
