"""Benchmarks that a user can repeat: parksim against a raw yardstick, alternating in one run.

A figure alone says more about the machine than about parksim, so each round measures both, and the ratio is what to
quote. docs/benchmarks.md explains the method.
"""
