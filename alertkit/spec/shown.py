"""How a value that a user wrote is shown in a message."""

from __future__ import annotations

from typing import Any

from alertkit.source.secrets import scrubbed


def brief(value: Any) -> str:
    """A value as messages show it: short, in backticks, or named when it is no scalar."""
    if value is None:
        return "nothing"
    if value == "":
        return "an empty text"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = scrubbed(str(value))  # before it is cut: half a secret is not known for one
    return f"`{text if len(text) <= 40 else text[:37] + '...'}`"
