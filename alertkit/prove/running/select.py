"""Which cases are wanted: an expression of words over their ids, and one share of several.

A word is wanted where it occurs in an id such as `peak_trade::HighLatency::critical::just-past`, whatever its case;
words are joined with `and`, `or`, `not` and brackets, as in pytest's `-k`. Words with spaces are put into quotes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator

from alertkit.prove.running.results import Event, Result, Skipped, id_of

Wants = Callable[[str], bool]

_TOKEN = re.compile(r"""\s*(?:(?P<bracket>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")


class SelectionError(ValueError):
    """An expression or a share that cannot be understood; the message says why."""


def everything(_: str) -> bool:
    """Every id is wanted."""
    return True


def choose(expression: str | None, shard: str | None) -> Wants:
    """Whether an id is wanted by an expression (None: all are) and belongs to the share `I/N` (None: to all).

    Raises `SelectionError`.
    """
    parts = [parse_expression(expression)] if expression is not None else []
    parts += [parse_shard(shard)] if shard is not None else []
    if not parts:
        return everything
    return lambda id: all(part(id) for part in parts)


def parse_shard(text: str) -> Wants:
    """`I/N`, the I-th of N shares. All cases of an alert are in one share, as they share a timeline."""
    found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if found is None:
        raise SelectionError(f"`{text}` is not a share such as `1/4`")
    number, count = int(found[1]), int(found[2])
    if not 1 <= number <= count:
        raise SelectionError(f"there is no share {number} of {count}; shares are counted from 1")
    return lambda id: zlib.crc32(_unit(id).encode()) % count == number - 1


def _unit(id: str) -> str:
    """What is not divided between shares: an alert, a scenario, a test of a plain file."""
    return "::".join(id.split("::")[:2]).split(",")[0]


def parse_expression(text: str) -> Wants:
    """What `-k` says; raises `SelectionError`."""
    tokens: list[tuple[str, bool]] = []  # text, and whether it may be an operator or bracket
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            raise SelectionError(f"a quote is not closed in `{text}`")
        quoted = found["double"] if found["double"] is not None else found["single"]
        tokens.append((quoted, False) if quoted is not None else (found["bracket"] or found["word"], True))
        place = found.end()
    return _Parser(text, tokens).whole()


class _Parser:
    """or-expression := and-expression (`or` and-expression)*, and so on; `not` binds closest."""

    def __init__(self, text: str, tokens: list[tuple[str, bool]]) -> None:
        self.text, self.tokens, self.place = text, tokens, 0

    def whole(self) -> Wants:
        result = self._or()
        if self.place < len(self.tokens):
            raise SelectionError(
                f"`and` or `or` is missing before `{self.tokens[self.place][0]}` in `{self.text}`; "
                "put words with spaces into quotes"
            )
        return result

    def _next(self, word: str) -> bool:
        """Whether the next token is this operator or bracket; if so it is passed."""
        if self.place < len(self.tokens) and self.tokens[self.place] == (word, True):
            self.place += 1
            return True
        return False

    def _or(self) -> Wants:
        parts = [self._and()]
        while self._next("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda id: any(part(id) for part in parts)

    def _and(self) -> Wants:
        parts = [self._not()]
        while self._next("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda id: all(part(id) for part in parts)

    def _not(self) -> Wants:
        if self._next("not"):
            part = self._not()
            return lambda id: not part(id)
        if self._next("("):
            inner = self._or()
            if not self._next(")"):
                raise SelectionError(f"a bracket is not closed in `{self.text}`")
            return inner
        if self.place >= len(self.tokens):
            raise SelectionError(f"a word is missing at the end of `{self.text}`")
        word, special = self.tokens[self.place]
        if special and word in ("and", "or", ")"):
            raise SelectionError(f"a word is missing before `{word}` in `{self.text}`")
        self.place += 1
        lowered = word.lower()
        return lambda id: lowered in id.lower()


def selected(events: Iterable[Event], wants: Wants) -> Iterator[Event]:
    """The events of what is wanted."""
    if wants is everything:
        yield from events
        return
    for event in events:
        if isinstance(event, Result) and not wants(event.id):
            continue
        if isinstance(event, Skipped) and not wants(id_of(event.system, event.alert, "", event.case)):
            continue
        yield event
