"""From one loaded spec file to its alerts, each checked against its kind."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from alertkit.kinds import Kind, PluginError, Registry
from alertkit.source import Document, Problems, Span
from alertkit.spec.alert import SpecFile
from alertkit.spec.selector import Matcher
from alertkit.spec.shown import brief
from alertkit.spec.validate import field_names, suggest, validate

MOST_COPIES = 1000
_ALERTS_HELP = "write each under its name: `HighLatency: {kind: latency, ...}`"
_PLUGIN_HELP = "kind `{kind}` comes from an installed package: mend or upgrade that"
SYSTEM_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]*\Z", re.ASCII)
ALERT_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_:-]*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of a spec file (of `for_each`, one of its copies): its name, its spec and where it stands."""

    name: str
    spec: Kind
    document: Document
    span: Span
    defaults: frozenset[str]
    variables: dict[str, str] = field(default_factory=dict)

    def _path(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Where a key of this alert stands in the document: with the alert, in `defaults` or with the whole file."""
        if path and path[0] in self.defaults:
            return ("defaults", *path)
        own = ("alerts", self.name, *path)
        if path and not self.document.has(own):
            shared: tuple[str | int, ...] = ("runbooks",) if path == ("runbook",) else path
            elsewhere = [("defaults", *path)] + ([shared] if path[0] in ("labels", "runbook") else [])
            return next((place for place in elsewhere if self.document.has(place)), own)
        return own

    def key(self, *path: str | int) -> Span:
        """Where a key of this alert stands; the alert's own name without arguments."""
        return self.document.key(self._path(path)) if path else self.span

    def value(self, *path: str | int) -> Span:
        return self.document.value(self._path(path))

    def has(self, *path: str | int) -> bool:
        """Whether this alert, or the defaults for it, say something at `path`."""
        return self._raw(path) is not None

    def _raw(self, path: tuple[str | int, ...]) -> object:
        node: Any = self.document.data
        for part in self._path(path):
            if isinstance(node, dict):
                node = node.get(part)
            elif isinstance(node, list) and isinstance(part, int) and part < len(node):
                node = node[part]
            else:
                return None
        return node

    def within(self, offset: int, length: int, *path: str | int) -> Span:
        """A place inside the text of a value, of which `for_each` may have made another one."""
        where = self._path(path)
        text = self.document.at(where) if self.variables else None
        if isinstance(text, str):
            begin, end = (_origin(text, self.variables, place) for place in (offset, offset + max(length, 1)))
            offset, length = begin, max(end - begin, 1)
        return self.document.within(where, offset, length)


def read_spec(document: Document, registry: Registry, problems: Problems) -> tuple[SpecFile, list[Entry]] | None:
    """Check one file; None when the file as a whole is unusable, else what could be read of it."""
    data = document.data
    if not isinstance(data, dict):
        problems.add("AK203", "a spec file must be a mapping", document.value(()), "begin with `system:` and `alerts:`")
        return None
    if "groups" in data and "alerts" not in data:
        problems.add(
            "AK203", "this is a file of Prometheus rules, not a spec", document.key(("groups",)),
            "write `system:` and `alerts:`; an expression of old goes into an alert of `kind: expr`",
        )  # fmt: skip
        return None
    file = validate(SpecFile, document, (), data, problems)
    if file is None:
        _read_alerts(document, data, {}, registry, problems)
        return None
    if not SYSTEM_NAME.match(file.system):
        problems.add(
            "AK209", f"`{file.system}` cannot be the name of a system", document.value(("system",)),
            "use letters, digits, `_` and `-`, beginning with a letter, like `peak_trade`",
        )  # fmt: skip
    return file, _read_alerts(document, data, data.get("defaults") or {}, registry, problems)


def _read_alerts(
    document: Document, data: dict[str, Any], defaults: dict[str, Any], registry: Registry, problems: Problems
) -> list[Entry]:
    alerts = data.get("alerts")
    if not isinstance(alerts, dict):
        return []
    if not alerts:
        problems.add("AK205", "there is no alert in this file", document.value(("alerts",)), _ALERTS_HELP)
    entries: list[Entry] = []
    for name, raw in alerts.items():
        path = ("alerts", name)
        if not ALERT_NAME.match(name):
            problems.add(
                "AK209", f"`{name}` cannot be the name of an alert", document.key(path),
                "use letters, digits and `_`, beginning with a letter, like `HighLatency`",
            )  # fmt: skip
        elif not isinstance(raw, dict):
            problems.add(
                "AK203", f"an alert must be a mapping, found {brief(raw)}", document.value(path), "begin with `kind:`"
            )
        else:
            entries += _read_alert(document, name, raw, defaults, registry, problems)
    return entries


def _read_alert(
    document: Document, name: str, raw: dict[str, Any], defaults: dict[str, Any], registry: Registry,
    problems: Problems,
) -> list[Entry]:  # fmt: skip
    path = ("alerts", name)
    kind = raw.get("kind")
    if not isinstance(kind, str):
        if "kind" in raw:
            place = document.value((*path, "kind"))
            problems.add("AK203", f"expected the name of a kind, found {brief(kind)}", place, suggest("", registry))
        else:
            place = document.key(path)
            meant = "add `kind: expr`" if "expr" in raw else f"add `kind:`; {suggest('', registry)}"
            problems.add("AK202", f"the key `kind` is missing in `{name}`", place, meant)
        return []
    if kind in registry.broken and kind not in registry:
        return []  # what is wrong with it was said where it is defined
    if kind not in registry:
        problems.add("AK210", f"unknown kind `{kind}`", document.value((*path, "kind")), suggest(kind, registry))
        return []
    try:
        model = registry[kind]
    except PluginError as error:
        problems.add("AK214", str(error), document.value((*path, "kind")), _PLUGIN_HELP.format(kind=kind))
        return []
    fields = _fields(model)
    merged = {key: value for key, value in defaults.items() if key in fields and key not in raw}
    from_defaults = frozenset(merged)
    for key in ("labels", "annotations"):
        if isinstance(raw.get(key), dict) and isinstance(defaults.get(key), dict):
            raw = {**raw, key: {**defaults[key], **raw[key]}}
    merged.update(raw)
    copies = _copies(document, name, merged, problems) if "for_each" in raw else [(merged, {}, ())]
    entries, span = [], document.key(path)
    for copy, variables, selecting in copies:

        def origin(where: Sequence[str | int], offset: int, variables: dict[str, str] = variables) -> int:
            text = document.at(where)
            return _origin(text, variables, offset) if variables and isinstance(text, str) else offset

        spec = validate(model, document, path, copy, problems, origin=origin)
        if spec is not None:
            if selecting:
                matchers = tuple(Matcher(axis, "=", variables[axis]) for axis in selecting)
                spec = spec.model_copy(update={"where": spec.where + matchers})
            entries.append(Entry(name, spec, document, span, from_defaults, variables))
        else:
            break  # every copy would repeat the same problems
    return entries


@cache
def _fields(model: type[Kind]) -> frozenset[str]:
    """The keys that a kind takes from `defaults:`."""
    return frozenset(field_names(model)) - model.without_defaults


Copy = tuple[dict[str, Any], dict[str, str], tuple[str, ...]]


def _copies(document: Document, name: str, raw: dict[str, Any], problems: Problems) -> list[Copy]:
    """One copy of the alert for each combination of `for_each` values, with `<< variable >>` put in.

    A variable that the alert mentions nowhere selects: it becomes a matcher on the metric's label of that name.
    """
    path = ("alerts", name, "for_each")
    axes = raw["for_each"]
    fine = isinstance(axes, dict) and bool(axes) and all(isinstance(v, list) and v for v in axes.values())
    if not fine or not all(isinstance(item, (str, int)) for values in axes.values() for item in values):
        problems.add(
            "AK203", "`for_each` must be a mapping of names to lists", document.value(path),
            "write `for_each: {exchange: [hyperliquid, coinbase]}`",
        )  # fmt: skip
        return []
    for axis, values in axes.items():
        for index, item in enumerate(values):
            if item in values[:index]:
                problems.add(
                    "AK205", f"`{item}` stands here twice", document.value((*path, axis, index)), "remove one of them"
                )
                return []
    count = math.prod(len(values) for values in axes.values())
    if count > MOST_COPIES:
        problems.add(
            "AK205", f"`for_each` would make {count} copies of this alert", document.value(path),
            f"it makes at most {MOST_COPIES}; use `by:` to get one alert for each value of a label",
        )  # fmt: skip
        return []
    rest = {key: value for key, value in raw.items() if key != "for_each"}
    mentioned = {axis for axis in axes if _mentions(rest, axis)}
    selecting = tuple(axis for axis in axes if axis not in mentioned)
    copies: list[Copy] = []
    for combination in itertools.product(*axes.values()):
        variables = {axis: str(value) for axis, value in zip(axes, combination, strict=True)}
        put_in = {axis: variables[axis] for axis in mentioned}
        copies.append((_put_in(rest, put_in), variables, selecting))
    return copies


def _variable(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"<<\s*({'|'.join(map(re.escape, names))})\s*>>")


def _origin(text: str, variables: dict[str, str], offset: int) -> int:
    """The place in `text` of what is at `offset` once the variables are put in."""
    grown = 0
    for found in _variable(variables).finditer(text):
        value = variables[found[1]]
        start = found.start() + grown
        if offset < start + len(value):
            return min(offset - grown, found.start()) if offset < start else found.start()
        grown += len(value) - len(found[0])
    return offset - grown


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
