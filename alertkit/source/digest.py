"""Content hashes for caches."""

from __future__ import annotations

import hashlib

SIZE = 16


def digest(*parts: bytes) -> str:
    """A short content hash in hex; parts cannot run into each other."""
    state = hashlib.blake2b(digest_size=SIZE)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()
