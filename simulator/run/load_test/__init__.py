"""Load tests: played, disturbed on purpose, measured, searched, and judged."""
