"""Notification templates that can print nothing, whatever they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alertkit.template.parse import parse
from alertkit.template.tree import Action, Block, Node, Text, definitions


@dataclass(frozen=True, slots=True)
class Blank:
    """A text (by its `name`) that never prints; `place` is the file, offset and length of the definition to blame.

    None where the text itself is to blame.
    """

    name: str
    place: tuple[str, int, int] | None


def blanks(files: Mapping[str, str], texts: Mapping[str, str]) -> list[Blank]:
    """Which of `texts` never print; `files` and `texts` are templates by name, all of which parse."""
    defined: dict[str, tuple[str, Block]] = {}
    for name, text in files.items():
        for block in definitions(parse(text)):
            defined[block.name] = (name, block)
    found = []
    for name, text in texts.items():
        nodes = parse(text)
        if text and not _prints(nodes, defined, frozenset()):
            called = [n.name for n in nodes if isinstance(n, Block) and n.kind == "template" and n.name in defined]
            place = None
            if called:
                file, block = defined[called[0]]
                place = (file, block.offset, block.length)
            found.append(Blank(name, place))
    return found


def _prints(nodes: Sequence[Node], defined: Mapping[str, tuple[str, Block]], inside: frozenset[str]) -> bool:
    """Whether some data could make these nodes print; `inside` are the templates that are being looked at."""
    for node in nodes:
        if isinstance(node, Text):
            if node.value.strip():
                return True
        elif isinstance(node, Action):
            if not node.pipe.variables:
                return True
        elif node.kind == "template":
            if node.name not in defined:
                return True  # one of Alertmanager's own
            if node.name not in inside and _prints(
                defined[node.name][1].body, defined, inside | {node.name}
            ):  # fmt: skip
                return True
        elif node.kind != "define" and (_prints(node.body, defined, inside) or _prints(node.other, defined, inside)):
            return True
    return False
