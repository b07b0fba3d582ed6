"""A berth: a place that works only while somebody stands in it, such as a dock with a lorry."""

from __future__ import annotations

from simulator.park.buffer import User

__all__ = ["Berth"]


class Berth:
    """What a dock takes from instead of a buffer: it waits, Idle or Suspended, until somebody comes."""

    def __init__(self) -> None:
        self.taken = False
        self._users: list[User] = []

    def come(self) -> None:
        """Somebody is there: go on."""
        self.taken = True
        for user in self._users:
            user.go_on()

    def leave(self) -> None:
        """Nobody is there any more: wait."""
        self.taken = False
        for user in self._users:
            user.wait_for()

    def start_taking(self, user: User, pieces: int) -> bool:  # noqa: ARG002 - asked as any store is
        """Say whether somebody is there; if not, the machine waits."""
        if user not in self._users:
            self._users.append(user)
        return self.taken

    def start_giving(self, user: User, pieces: int) -> bool:
        """Take what a machine takes from it: nothing is given to a berth."""
        return self.start_taking(user, pieces)

    def put(self, pieces: int) -> None:
        """Nothing is stored here."""

    def take(self, pieces: int) -> None:
        """Nothing is stored here."""

    def started(self) -> None:
        """Nothing has to be foreseen."""

    def stop(self, user: User) -> None:
        """It comes back when it can."""
