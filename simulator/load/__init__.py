"""Load tests: when how much is due, what must hold, and what came of it."""
