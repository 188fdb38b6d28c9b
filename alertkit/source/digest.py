"""Content hashes for caches."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

SIZE = 32  # characters


def digest(*parts: bytes) -> str:
    """A short content hash in hex; parts cannot run into each other."""
    # Processors compute it, which makes it faster than what is faster on paper.
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()[:SIZE]


def place_digest(folder: Path) -> str:
    """Stands for a folder, by where it is; its name may be no UTF-8."""
    return digest(os.fsencode(folder.resolve()))
