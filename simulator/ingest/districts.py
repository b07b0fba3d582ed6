"""Districts: which topics each lane of the bridge carries, so that an asset always comes over the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapreplace
from itertools import groupby, takewhile
from typing import NamedTuple

from simulator.batch import Asset, Catalog

__all__ = ["District", "districts", "divided"]

EVEN = 1.1
"""How many times its fair share a lane may carry before what is heaviest is divided further."""
MOST_FILTERS = 2_000
"""Over all lanes: a session asks for each of its own anew when the broker has forgotten it."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Some assets, and the topic filter that stands for them and for nobody else of the catalogue."""

    topics: str
    assets: Sequence[Asset]
    """In the order of their paths."""
    sensors: int

    @classmethod
    def of(cls, topics: str, assets: Sequence[Asset]) -> Branch:
        return cls(topics, assets, sum(len(asset.sensors) for asset in assets))

    def parts(self) -> list[Branch]:
        """Divide it where the paths of its assets part; one asset remains as it is.

        What lies below a topic is another part than the asset that speaks on it, whose filter has no wildcard then:
        ``a/b/#`` would match ``a/b`` as well.
        """
        # of paths in order the first and the last have least in common
        pairs = zip(self.assets[0].path, self.assets[-1].path, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        found = []
        for path, group in groupby(self.assets, key=lambda asset: asset.path[: shared + 1]):
            mine = tuple(group)
            found.append(Branch.of(mine[0].topic if len(mine) == 1 else f"{'/'.join(path)}/#", mine))
        return found


class District(NamedTuple):
    """What one lane carries."""

    topics: tuple[str, ...]
    """Filters."""
    assets: tuple[Asset, ...]


def districts(catalog: Catalog, *, enterprise: str, lanes: int) -> list[tuple[str, ...]]:
    """Return the topic filters of each lane: see ``divided``."""
    return [one.topics for one in divided(catalog, enterprise=enterprise, lanes=lanes)]


def divided(catalog: Catalog, *, enterprise: str, lanes: int) -> list[District]:
    """Return topic filters and assets of each lane; every topic of the catalogue matches exactly one of all of them.

    The tree of topics is divided from the top, where the busiest lane has most sensors, until all carry about as many
    or that lane has nothing to divide: so there are few filters, and most of them are short. A division that would make
    more than 2,000 filters is not made, and the lanes stay uneven. There are never more lanes than assets, and a single
    one has all of the enterprise, strangers included.
    """
    assets = sorted(catalog.assets, key=lambda asset: asset.path)
    branches = [Branch.of(f"{enterprise}/#", assets)]
    lanes = max(1, min(lanes, len(assets)))
    hands = dealt(branches, lanes)
    while (parted := wanting(hands, rest=MOST_FILTERS - len(branches))) is not None:
        branches = [one for one in branches if one is not parted] + parted.parts()
        hands = dealt(branches, lanes)
    return [
        District(
            tuple(sorted(branch.topics for branch in hand)), tuple(asset for branch in hand for asset in branch.assets)
        )
        for hand in hands
        if hand
    ]


def dealt(branches: Sequence[Branch], lanes: int) -> list[list[Branch]]:
    """Give each branch, the largest first, to the lane that has least; return them with the busiest lane first."""
    hands: list[list[Branch]] = [[] for _ in range(lanes)]
    loads = [(0, lane) for lane in range(lanes)]
    for branch in sorted(branches, key=lambda one: one.sensors, reverse=True):
        load, lane = loads[0]
        hands[lane].append(branch)
        heapreplace(loads, (load + branch.sensors, lane))
    return sorted(hands, key=sensors_of, reverse=True)


def sensors_of(hand: Sequence[Branch]) -> int:
    return sum(branch.sensors for branch in hand)


def wanting(hands: Sequence[Sequence[Branch]], *, rest: int) -> Branch | None:
    """Return the branch to divide next; None if all lanes have enough, or nothing can be divided into so few more."""
    busiest, idlest = hands[0], hands[-1]
    if idlest and sensors_of(busiest) * len(hands) <= EVEN * sum(map(sensors_of, hands)):
        return None
    # a lane without anything takes from whoever has something to give
    among = busiest if idlest else [branch for hand in hands for branch in hand]
    for branch in sorted(among, key=lambda one: one.sensors, reverse=True):
        if len(branch.assets) > 1 and len(branch.parts()) - 1 <= rest:
            return branch
    return None
