"""The series language of user-defined kinds: what one input series does while the signal has some value.

A line is a number, and a word or a unit around it that says what it does:

    << value >>             a gauge that stays at the number
    rate << value >>/s      a counter that rises by the number a second (also /min, /h)
    clock << value >>       a gauge with the time that was the number of seconds ago; `clock ... in ms` counts in ms
    gone                    no samples

The number is digits, or one `<< >>` with `value` and the kind's parameters in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from alertkit.series import Clock, Gone, Level, Piece, Slope
from alertkit.spec.validate import suggest
from alertkit.template import TemplateError, mentions, own

_LINE = re.compile(
    r"\s*(?:(?P<word>[A-Za-z]+)\b)?\s*(?P<number><<.*>>|[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)?\s*(?P<rest>.*?)\s*\Z",
    re.DOTALL,
)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_PER = {"/s": 1, "/min": 60, "/h": 3600}
_WORDS = ("rate", "clock", "gone")


class LineError(Exception):
    """A line that is none; `offset` and `length` are its characters."""

    def __init__(self, message: str, offset: int, length: int, help: str) -> None:
        super().__init__(message)
        self.message, self.offset, self.length, self.help = message, offset, max(1, length), help


@dataclass(frozen=True, slots=True)
class Line:
    """`word` is level, rate, clock or gone; `number` the template of its number, `at` its place; `scale` as read."""

    word: str
    number: str
    at: int
    scale: float = 1.0

    @property
    def varies(self) -> bool:
        """Whether it changes with the value of the signal."""
        return self.word != "gone" and "value" in mentions(self.number)

    @property
    def is_value(self) -> bool:
        """Whether it is the value itself, uncalculated."""
        return self.word == "level" and self.number.removeprefix("<<").removesuffix(">>").strip() == "value"

    def piece(self, variables: Mapping[str, object], value: float) -> Piece:
        """What the series does; raises LineError when its number cannot be calculated."""
        if self.word == "gone":
            return Gone()
        number = value if self.is_value else self._calculated({**variables, "value": value})
        if self.word == "rate":
            return Slope(number / self.scale)
        return Clock(number, self.scale) if self.word == "clock" else Level(number)

    def _calculated(self, variables: Mapping[str, object]) -> float:
        try:
            text = own.render(self.number, variables)
            return float(text)
        except TemplateError as error:
            raise LineError(error.message, self.at + error.offset, error.length, "write it with `value`") from None
        except ValueError:
            raise LineError(
                f"`{text[:40]}` is not a number", self.at, len(self.number), "it must come out as one number"
            ) from None


def parse_line(text: str) -> Line:
    """Read one line; raises LineError."""
    match = _LINE.match(text)
    assert match is not None
    word, number, rest = match["word"], match["number"], match["rest"]
    if word is not None and word not in _WORDS:
        help = suggest(word, _WORDS) if word != "value" else "write `<< value >>`"
        raise LineError(f"`{word}` is no word of the series language", match.start("word"), len(word), help)
    if word == "gone":
        if number or rest:
            place = match.end("word")
            raise LineError("`gone` stands alone", place, len(text.rstrip()) - place, "remove what follows it")
        return Line("gone", "", 0)
    if number is None or (not number.startswith("<<") and not _NUMBER.match(number)):
        at, size = match.span("number") if number else (match.end("word") if word else 0, 0)
        raise LineError(
            "here a number is missing", at, (size - at) if number else 1, "write `<< value >>`, or a number that stays"
        )
    at = match.start("number")
    if number.count("<<") > 1:
        raise LineError("a number is one `<< >>`", at, len(number), "calculate inside of it: `<< 100 * value >>`")
    if word == "rate":
        if rest not in _PER:
            place = match.start("rest")
            raise LineError("a rate is given per time", place, len(rest), "write `rate << value >>/s`, or /min, or /h")
        return Line("rate", number, at, _PER[rest])
    if word == "clock" and rest in ("in ms", ""):
        return Line("clock", number, at, 1000.0 if rest else 1.0)
    if rest:
        help = "for a counter write `rate << value >>/s`" if rest in _PER else "remove it"
        raise LineError(f"`{rest[:40]}` means nothing here", match.start("rest"), len(rest), help)
    return Line("level", number, at)
