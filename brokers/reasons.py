"""What the reason codes of MQTT 5 mean: MQTT Version 5.0, OASIS 2019, section 2.4, in the words of its table."""

from __future__ import annotations

__all__ = ["REFUSAL", "reason"]

REFUSAL = 0x80
"""Codes from here on say no."""
MEANINGS = {
    0x00: "Normal disconnection",
    0x04: "Disconnect with will message",
    0x80: "Unspecified error",
    0x81: "Malformed packet",
    0x82: "Protocol error",
    0x83: "Implementation specific error",
    0x87: "Not authorized",
    0x89: "Server busy",
    0x8B: "Server shutting down",
    0x8D: "Keep alive timeout",
    0x8E: "Session taken over",
    0x8F: "Topic filter invalid",
    0x90: "Topic name invalid",
    0x91: "Packet identifier in use",
    0x92: "Packet identifier not found",
    0x93: "Receive maximum exceeded",
    0x94: "Topic alias invalid",
    0x95: "Packet too large",
    0x96: "Message rate too high",
    0x97: "Quota exceeded",
    0x98: "Administrative action",
    0x99: "Payload format invalid",
    0x9A: "Retain not supported",
    0x9B: "QoS not supported",
    0x9C: "Use another server",
    0x9D: "Server moved",
    0x9E: "Shared subscriptions not supported",
    0x9F: "Connection rate exceeded",
    0xA0: "Maximum connect time",
    0xA1: "Subscription identifiers not supported",
    0xA2: "Wildcard subscriptions not supported",
}


def reason(code: int) -> str:
    """Return what a code means, or its number if the specification has none."""
    return MEANINGS.get(code, f"reason code 0x{code:02X}")
