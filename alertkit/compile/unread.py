"""An alert of which only what all alerts have can be read."""

from __future__ import annotations

from alertkit.kinds import Context, KindError, Question
from alertkit.kinds.base import MeasuredKind


class Unread(MeasuredKind):
    """The keys that alerts have in common, of one whose kind is not known or whose own keys cannot be read."""

    kind: str = ""

    def question(self, context: Context) -> Question:
        raise KindError("AK210", "what this alert asks is not known")

    def stimulus(self, context: Context) -> None:
        return None
