"""What whoever looks on may ask of a run."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Steered"]


class Steered(Protocol):
    """A run that takes orders, from any thread."""

    def offers(self) -> dict[str, Any]:
        """Return what can be asked: kinds of faults with their numbers, limits of speed."""

    def do(self, asked: object) -> None:
        """Order what is asked, a mapping with the key ``do``. Raises ScenarioError for what cannot be done."""

    def look_at(self, assets: tuple[int, ...]) -> None:
        """Have the readings of these assets told, and of no others."""

    def timeline(self) -> str:
        """Return a scenario that repeats the run as it has come until now, YAML."""
