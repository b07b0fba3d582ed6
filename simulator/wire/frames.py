"""MQTT PUBLISH packets in bulk: what stands before the payload, a matrix row per message.

    type and flags | remaining length, 1 to 4 bytes | length of the topic, 2 bytes | topic | packet identifier, 2 bytes,
    with QoS 1 and 2 | length of the properties, 0, with MQTT 5 | payload

MQTT Version 5.0, OASIS 2019, sections 2.1.4 and 3.3; MQTT Version 3.1.1, sections 2.2.3 and 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.wire.digits import WORD

__all__ = ["LONGEST", "Frames"]

Ints = NDArray[np.int64]
Words = NDArray[np.uint32]
Mask = NDArray[np.bool_]

PUBLISH = 0x30
LONGEST = 268_435_455
"""The remaining length of an MQTT packet at most: four groups of seven bits."""
LONGEST_TOPIC = 65_535
LENGTH_BYTES = 4
SEVEN_BITS, MORE = 0x7F, 0x80
FIXED = 2
"""Words up to the topic: type, four bytes for the remaining length, one that is never used, length of the topic."""
IN_FIXED = np.array([[True, *(place < groups for place in range(4)), False, True, True] for groups in range(5)])


class Frames:
    """The headers of the messages of some topics. Raises ValueError for a topic that MQTT cannot carry."""

    def __init__(self, topics: Sequence[str], *, qos: int, version: int) -> None:
        names = [topic.encode() for topic in topics]
        for topic, name in zip(topics, names, strict=True):
            if not 0 < len(name) <= LONGEST_TOPIC:
                message = f"topic {topic[:80]!r} has {len(name):,} bytes, must have from 1 to {LONGEST_TOPIC:,}"
                raise ValueError(message)
        self.has_identifier = qos > 0
        self._first = PUBLISH | qos << 1
        self._tail = 2 * (qos > 0) + (version == 5)
        self._length = np.array([len(name) for name in names], dtype=np.int64)
        widest = -(-int(self._length.max(initial=0)) // WORD) * WORD
        table = np.zeros((len(names), widest), dtype=np.uint8)
        for row, name in zip(table, names, strict=True):
            row[: len(name)] = np.frombuffer(name, dtype=np.uint8)
        in_topic = np.arange(widest) < self._length[:, np.newaxis]
        # Rows as single items: taking them copies whole rows at once.
        self._topic = table.view(f"V{widest}").ravel()
        self._in_topic = in_topic.view(f"V{widest}").ravel()
        self._topic_words = widest // WORD

    @property
    def words(self) -> int:
        """Words of four bytes of a header: fixed header and length of the topic, topic, what follows it."""
        return FIXED + self._topic_words + 1

    def write(self, text: Words, mask: Mask, topic: Ints, payload: Ints) -> Ints:
        """Write headers into uint32[M, words] and bool[M, 4 * words], given topic numbers and lengths of payloads.

        Return the length of each header, int64[M]; the identifier is its last two bytes, before the properties.
        Raises ValueError for a message that is too long for MQTT.
        """
        length = self._length.take(topic)
        remaining = 2 + length + self._tail + payload
        longest = int(remaining.max(initial=0))
        if longest > LONGEST:
            message = f"a message has {longest:,} bytes, must have at most {LONGEST:,}: MQTT knows no longer ones"
            raise ValueError(message)
        fixed = np.zeros((len(topic), FIXED * WORD), dtype=np.uint8)
        groups = np.ones(len(topic), dtype=np.int64)
        fixed[:, 1] = np.where(remaining > SEVEN_BITS, remaining & SEVEN_BITS | MORE, remaining)
        for place in range(1, LENGTH_BYTES):
            rest = remaining >> 7 * place
            if not rest.any():
                break
            groups += rest > 0
            fixed[:, 1 + place] = np.where(rest > SEVEN_BITS, rest & SEVEN_BITS | MORE, rest)
        fixed[:, 0] = self._first
        fixed[:, 6], fixed[:, 7] = length >> 8, length & 0xFF
        text[:, :FIXED] = fixed.view(np.uint32)
        mask[:, : FIXED * WORD] = IN_FIXED.take(groups, axis=0)
        tail = FIXED + self._topic_words
        text[:, FIXED:tail] = self._topic.take(topic).view(np.uint32).reshape(len(topic), -1)
        mask[:, FIXED * WORD : tail * WORD] = self._in_topic.take(topic).view(bool).reshape(len(topic), -1)
        text[:, tail] = 0
        mask[:, tail * WORD :] = np.arange(WORD) < self._tail
        header: Ints = 1 + groups + remaining - payload
        return header
