"""Where alertkit keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """The user's cache folder for alertkit; need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not Path(base).is_absolute():
        home = os.environ.get("HOME", "")
        base = str(Path(home) / ".cache") if Path(home).is_absolute() else _temporary()
    return Path(base) / "alertkit"


def _temporary() -> str:
    import tempfile  # hardly anybody has no home, and all would wait for it

    return str(Path(tempfile.gettempdir()) / "cache")
