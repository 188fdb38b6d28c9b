"""`for_each`: the copies of an alert, and where in its text a character of a copy comes from."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from alertkit.source import Document, Problems
from alertkit.spec.shown import brief

MOST_COPIES = 1000
# Keys that hold texts, which take all of the compiler's own variables.
TEXTS = frozenset({"summary", "description", "labels", "annotations", "runbook", "dashboard"})
_LEFT = re.compile(r"<<(?:(?!>>).)*(?:>>)?", re.DOTALL)

Copy = tuple[dict[str, Any], dict[str, str], tuple[str, ...]]


def copies_of(document: Document, name: str, raw: dict[str, Any], problems: Problems) -> list[Copy]:
    """One copy of the alert for each combination of `for_each` values, with `<< variable >>` put in.

    A variable that the alert mentions nowhere but in texts selects: it becomes a matcher on the metric's label of that
    name. Were it not so, copies would differ in their words alone.
    Of a `for_each` that cannot be read there are none.
    """
    path = ("alerts", name, "for_each")
    axes = raw["for_each"]
    bad = (
        [path] if not isinstance(axes, dict) or not axes else [(*path, axis) for axis in axes if not _fine(axes[axis])]
    )
    for where in bad:
        problems.add(
            "AK203", "`for_each` must be a mapping of names to lists", document.value(where),
            "write `for_each: {exchange: [hyperliquid, coinbase]}`",
        )  # fmt: skip
    if bad:
        return []
    items = [((*path, axis, index), item) for axis, values in axes.items() for index, item in enumerate(values)]
    wrong = [(place, item) for place, item in items if not isinstance(item, (str, int)) or isinstance(item, bool)]
    for place, item in wrong:
        problems.add(
            "AK203", f"expected text, found {brief(item)}", document.value(place),
            "write a text; put it in quotes if it looks like something else to YAML",
        )  # fmt: skip
    if wrong:
        return []
    for text, offset, length in left_over(axes, path):
        problems.add(
            "AK404", "nothing is put into the values of `for_each`", document.within(text, offset, length),
            "write the value itself",
        )  # fmt: skip
    for axis, values in axes.items():
        for index, item in enumerate(values):
            if item in values[:index]:
                problems.add(
                    "AK205", f"`{item}` stands here twice", document.value((*path, axis, index)), "remove one of them"
                )
    count = math.prod(len(values) for values in axes.values())
    if count > MOST_COPIES:
        problems.add(
            "AK205", f"`for_each` would make {count} copies of this alert", document.value(path),
            f"it makes at most {MOST_COPIES}; use `by:` to get one alert for each value of a label",
        )  # fmt: skip
        axes = {axis: values[:1] for axis, values in axes.items()}
    rest = {key: value for key, value in raw.items() if key != "for_each"}
    asked = {key: value for key, value in rest.items() if key not in TEXTS}
    selecting = tuple(axis for axis in axes if not _mentions(asked, axis))
    mentioned = {axis for axis in axes if _mentions(rest, axis)}
    copies: list[Copy] = []
    for combination in itertools.product(*axes.values()):
        variables = {axis: str(value) for axis, value in zip(axes, combination, strict=True)}
        put_in = {axis: variables[axis] for axis in mentioned}
        copies.append((_put_in(rest, put_in), variables, selecting))
    return copies


def _fine(values: object) -> bool:
    return isinstance(values, list) and bool(values)


def without_variables(raw: dict[str, Any]) -> dict[str, Any]:
    """What of an alert can be read without its `for_each`: all but what variables stand in."""
    return {key: value for key, value in raw.items() if key != "for_each" and "<<" not in str(value)}


def _variable(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"<<\s*({'|'.join(map(re.escape, names))})\s*>>")


def origin_of(text: str, variables: dict[str, str], offset: int) -> int:
    """The place in `text` of what is at `offset` once the variables are put in."""
    grown = 0
    for found in _variable(variables).finditer(text):
        value = variables[found[1]]
        start = found.start() + grown
        if offset < start + len(value):
            return min(offset - grown, found.start()) if offset < start else found.start()
        grown += len(value) - len(found[0])
    return offset - grown


def left_over(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int, int]]:
    """Each `<< >>` that no variable was put in for: the path of its text, its offset there and its length."""
    if isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from left_over(value, (*path, key))
    elif isinstance(node, str) and "<<" in node:
        yield from ((path, found.start(), len(found[0])) for found in _LEFT.finditer(node))


def _mentions(node: Any, variable: str) -> bool:
    if isinstance(node, dict):
        return any(_mentions(value, variable) for value in node.values())
    if isinstance(node, list):
        return any(_mentions(value, variable) for value in node)
    return isinstance(node, str) and re.search(rf"<<(?:(?!<<)[^>])*\b{re.escape(variable)}\b", node) is not None


def _put_in(node: Any, variables: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _put_in(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_put_in(value, variables) for value in node]
    if isinstance(node, str) and "<<" in node:
        return _variable(variables).sub(lambda found: variables[found[1]], node) if variables else node
    return node
