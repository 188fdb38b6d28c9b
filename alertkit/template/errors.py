"""What is wrong in a template, and where in its text."""

from __future__ import annotations


class TemplateError(ValueError):
    """One mistake in a template.

    `message` is a sentence without a full stop; `offset` (0-based) and `length` (at least 1) are characters of the
    template's text. Two errors that say the same at the same place are equal.
    """

    def __init__(self, message: str, offset: int, length: int = 1) -> None:
        super().__init__(message, offset, length)
        self.message = message
        self.offset = offset
        self.length = max(1, length)

    def __str__(self) -> str:
        return f"{self.message} (at {self.offset})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TemplateError) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, int, int]:
        return self.message, self.offset, self.length
