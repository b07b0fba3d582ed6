"""Addresses and paths are nobody's business: a result that is passed on shall not name them."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

__all__ = ["without_addresses"]

ADDRESS, PATH = "(address)", "(path)"
URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s,;]*[^\s,;:.)'\"]")
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(\.\d{1,3}){3}(:\d+)?(?!\.?\w)")
IPV6 = re.compile(r"(?<![\w:])\[?([0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(\](:\d+)?)?", re.IGNORECASE)
ABSOLUTE = re.compile(r"(?<![\w/.])~?(/[\w.@+-]+){2,}")


def without_addresses(text: str, *, broker: str, store: str) -> str:
    """Return a sentence without URLs, network addresses and paths, and without those of ``broker`` and ``store``."""
    text = URL.sub(ADDRESS, text)
    for option in (broker, store):
        kind, separator, rest = option.partition(":")
        if separator and kind == "sqlite":
            text = text.replace(rest, PATH) if rest else text
        elif separator:
            text = without_host(text, urlsplit(f"//{rest.removeprefix('//').rpartition('@')[2]}").hostname)
    return ABSOLUTE.sub(PATH, IPV6.sub(blotted, IPV4.sub(ADDRESS, text)))


def without_host(text: str, host: str | None) -> str:
    name = re.compile(rf"(?<![\w.-]){re.escape(host)}(:\d+)?(?![\w-]|\.\w)", re.IGNORECASE) if host else None
    return name.sub(ADDRESS, text) if name else text


def blotted(found: re.Match[str]) -> str:
    """Return what stands for something with colons, which may also be a time of day."""
    try:
        IPv6Address(found[1])
    except ValueError:
        return found[0]
    return ADDRESS
