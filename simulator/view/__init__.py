"""Watching a run: nothing here changes what it does."""
