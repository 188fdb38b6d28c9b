"""The syntax tree of a Go text/template. Offsets and lengths are characters of the template's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Literal(NamedTuple):
    """A string, number or bool; `value` None: nil, or a constant that is not modelled (complex, odd bytes)."""

    value: str | float | int | bool | None
    nil: bool
    offset: int
    length: int


class Path(NamedTuple):
    """Fields of something: `base` is a variable's name (`$`, `$labels`), `.`, or an expression in parentheses.

    `places` has one (offset, length) for each field, dot included.
    """

    base: str | Pipe
    fields: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    offset: int
    length: int


class Function(NamedTuple):
    """A function's name where it stands; `fields` of its result."""

    name: str
    offset: int
    length: int


Term = Literal | Path | Function


class Pipe(NamedTuple):
    """Commands, each fed with the result of the one before; `variables` receive the last result."""

    variables: tuple[str, ...]
    assign: bool
    commands: tuple[tuple[Term, ...], ...]
    offset: int
    length: int


class Text(NamedTuple):
    value: str


class Action(NamedTuple):
    pipe: Pipe


class Block(NamedTuple):
    """`kind`: if, with, range, define, block, template, break, continue; `name` of the last four's template."""

    kind: str
    pipe: Pipe | None
    body: tuple[Node, ...]
    other: tuple[Node, ...]
    name: str
    offset: int
    length: int


Node = Text | Action | Block


def definitions(nodes: Sequence[Node]) -> Iterator[Block]:
    """The templates that nodes define, in their order."""
    for node in nodes:
        if isinstance(node, Block):
            if node.kind in ("define", "block"):
                yield node
            yield from definitions(node.body)
            yield from definitions(node.other)
