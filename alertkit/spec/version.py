"""Versions of Alertmanager, as (major, minor)."""

from __future__ import annotations

import re

Version = tuple[int, int]
OLDEST: Version = (0, 25)
"""The oldest Alertmanager that alertkit writes for, and the default: newer ones load the same file."""

WANTED = "a version of Alertmanager from 0.25 on"
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.\d+)?(?:[-+].*)?\Z")


def parse_version(text: str) -> Version | None:
    """Major and minor of a version like `0.28` or `v0.28.1`; None when it is none, or too old to be written for."""
    found = _VERSION.match(text)
    version = (int(found[1]), int(found[2])) if found else None
    return version if version and version >= OLDEST else None
