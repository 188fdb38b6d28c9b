"""Changes that provably change nothing."""

from __future__ import annotations

from alertkit.prove.changes import Change


def equivalent(change: Change) -> str | None:
    """Why no series whatever could tell the changed rule from the original; None when that cannot be proven."""
    return None
