"""From one loaded spec file to its alerts, each checked against its kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from alertkit.compile.copies import TEXTS, Copy, copies_of, left_over, origin_of, without_variables
from alertkit.kinds import Kind, PluginError, Registry
from alertkit.source import Document, Problems, Span
from alertkit.spec.alert import Defaults, Levels, Measured, SpecFile
from alertkit.spec.quantity import Quantity, Unit
from alertkit.spec.salvage import Path, Salvage, StandIns, doubted, read
from alertkit.spec.selector import Matcher
from alertkit.spec.shown import brief
from alertkit.spec.validate import field_names, nearest, suggest

_ALERTS_HELP = "write each under its name: `HighLatency: {kind: latency, ...}`"
_PLUGIN_HELP = "kind `{kind}` comes from an installed package: mend or upgrade that"
SYSTEM_NAME = re.compile(r"[a-zA-Z_][\w-]*\Z", re.ASCII)
ALERT_NAME = re.compile(r"[a-zA-Z_][\w:-]*\Z", re.ASCII)


class Entry(NamedTuple):
    """One alert of a spec file (of `for_each`, one of its copies): its name, its spec and where it stands.

    `doubts` are its keys of which it is not known what they say, because there are mistakes; then the spec lacks them,
    or is an `Unread`. `kind` is None where it is not known what kind of alert this is.
    """

    name: str
    spec: Kind
    document: Document
    span: Span
    defaults: frozenset[str]
    variables: dict[str, str]
    kind: type[Kind] | None = None
    doubts: frozenset[str] = frozenset()
    cuts: frozenset[Path] = frozenset()

    def may_name(self, variable: str) -> bool:
        """Whether the alert, if its mistakes were mended, may well have this variable for its texts."""
        doubts = self.doubts
        return bool(doubts) and ("for_each" in doubts or self.kind is None or variable in field_names(self.kind))

    def _path(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Where a key of this alert stands in the document: with the alert, in `defaults` or with the whole file."""
        if self.cuts:
            path = Salvage(None, self.cuts).place(path)
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

    def given(self, name: str) -> Any:
        """What the spec says for a parameter that not all kinds have; asking pydantic for an absent one is slow."""
        return vars(self.spec).get(name)

    def is_own(self, *path: str | int) -> bool:
        """Whether what is said at `path` stands with the alert itself."""
        return self._path(path)[:2] == ("alerts", self.name)

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
            begin, end = (origin_of(text, self.variables, place) for place in (offset, offset + max(length, 1)))
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
    file, cuts, doubts = read(SpecFile, document, (), data, problems, stand_ins=lambda: _FILE_STAND_INS)
    if file is None:
        return None
    if "system" not in doubts and not SYSTEM_NAME.match(file.system):
        problems.add(
            "AK209", f"`{file.system}` cannot be the name of a system", document.value(("system",)),
            "use letters, digits, `_` and `-`, beginning with a letter, like `peak_trade`",
        )  # fmt: skip
    defaults, unsure = data.get("defaults") or {}, frozenset[str]()
    if "defaults" in doubts:
        defaults, unsure = _defaults(data, cuts)
    # Where there is neither, not even an escape that may hide one, no alert need be searched for it.
    marked = "<<" in document.text or "\\" in document.text
    sections = tuple([key for key in ("labels", "annotations") if isinstance(defaults.get(key), dict)])
    shared = _Shared(document, registry, problems, defaults, sections, unsure, marked)
    return file, _read_alerts(data, shared)


# Of a file whose own keys have mistakes, the alerts are read all the same.
_FILE_STAND_INS: StandIns = {"system": ("unread",), "alerts": ({},)}


class _Shared(NamedTuple):
    """What all alerts of a file have in common.

    `sections` are the mappings of `defaults` that an alert adds to; `doubts` the keys that `defaults` may say of them
    or not; `marked` whether a `<< >>` may stand somewhere.
    """

    document: Document
    registry: Registry
    problems: Problems
    defaults: dict[str, Any]
    sections: tuple[str, ...]
    doubts: frozenset[str]
    marked: bool


def _defaults(data: dict[str, Any], cuts: frozenset[Path]) -> tuple[dict[str, Any], frozenset[str]]:
    """What can be used of a file's `defaults` with mistakes, and the keys that are in doubt."""
    given, own = data.get("defaults"), {str(cut[1]) for cut in cuts if cut[0] == "defaults" and len(cut) > 1}
    if not isinstance(given, dict) or not own:
        return {}, frozenset(field_names(Defaults))
    known = field_names(Defaults)
    doubts = frozenset().union(*({key} if key in known else doubted(Defaults, key, given[key]) for key in own))
    return {key: value for key, value in given.items() if key not in own}, doubts


def _read_alerts(data: dict[str, Any], shared: _Shared) -> list[Entry]:
    alerts, problems, document = data.get("alerts"), shared.problems, shared.document
    if not isinstance(alerts, dict):
        return []
    if not alerts:
        problems.add("AK205", "there is no alert in this file", document.value(("alerts",)), _ALERTS_HELP)
    entries: list[Entry] = []
    for name, raw in alerts.items():
        path = ("alerts", name)
        if not ALERT_NAME.match(name) and (isinstance(raw, dict) or not _unread(raw)):
            problems.add(
                "AK209", f"`{name}` cannot be the name of an alert", document.key(path),
                "use letters, digits and `_`, beginning with a letter, like `HighLatency`",
            )  # fmt: skip
        if isinstance(raw, dict):
            entries += _read_alert(name, raw, shared)
        elif ALERT_NAME.match(name) and not _unread(raw):
            problems.add(
                "AK203", f"an alert must be a mapping, found {brief(raw)}", document.value(path), "begin with `kind:`"
            )
    return entries


def _unread(value: object) -> bool:
    """Whether a value could not be read, which has been said."""
    from alertkit.source.recovery import UNREAD

    return value is UNREAD


def _kind(name: str, raw: dict[str, Any], shared: _Shared) -> str | None:
    """The kind of an alert, of a misspelt one what it was probably meant to be; None where that is not known."""
    path, kind = ("alerts", name), raw.get("kind")
    document, registry, problems = shared.document, shared.registry, shared.problems
    if isinstance(kind, str):
        if kind in registry:
            return kind
        if kind in registry.broken:  # what is wrong with it was said where it is defined
            return None
        problems.add("AK210", f"unknown kind `{kind}`", document.value((*path, "kind")), suggest(kind, registry))
        return nearest(kind, registry)
    if "kind" in raw:
        place = document.value((*path, "kind"))
        problems.add("AK203", f"expected the name of a kind, found {brief(kind)}", place, suggest("", registry))
        return None
    meant = "add `kind: expr`" if "expr" in raw else f"add `kind:`; {suggest('', registry)}"
    problems.add("AK202", f"the key `kind` is missing in `{name}`", document.key(path), meant)
    return "expr" if "expr" in raw else None


def _model(name: str, kind: str | None, shared: _Shared) -> type[Kind] | None:
    try:
        return None if kind is None else shared.registry[kind]
    except PluginError as error:
        place = shared.document.value(("alerts", name, "kind"))
        shared.problems.add("AK214", str(error), place, _PLUGIN_HELP.format(kind=kind))
        return None


def _read_alert(name: str, raw: dict[str, Any], shared: _Shared) -> list[Entry]:
    document, problems, defaults = shared.document, shared.problems, shared.defaults
    path = ("alerts", name)
    kind = _model(name, word := _kind(name, raw, shared), shared)
    model = kind or _unread_kind()
    fields = _fields(model)
    if kind is None:
        raw = {key: value for key, value in raw.items() if key in fields and key != "kind"}
    elif word != raw.get("kind"):
        raw = {**raw, "kind": word}
    merged = {key: value for key, value in defaults.items() if key in fields and key not in raw}
    from_defaults = frozenset(merged)
    merged.update(raw)
    for key in shared.sections:
        if isinstance(raw.get(key), dict):
            merged[key] = {**defaults[key], **raw[key]}
    unsure = shared.doubts.difference(raw) if kind else shared.doubts.difference(raw) | {"kind"}
    copies: list[Copy] = [(merged, {}, ())]
    if "for_each" in raw:
        copies = copies_of(document, name, merged, problems)
        if not copies:
            kept = without_variables(merged)
            copies, unsure = [(kept, {}, ())], unsure | (merged.keys() - kept.keys())
    entries, span = [], document.key(path)
    for copy, variables, selecting in copies:
        origin = partial(_origin, document, variables) if variables else None
        spec, cuts, doubts = read(
            model, document, path, copy, problems, origin=origin, stand_ins=partial(_stand_ins, model), unread=unsure
        )
        if spec is None:
            common = {key: value for key, value in copy.items() if key in _fields(_unread_kind())}
            spec, cuts, _ = read(_unread_kind(), document, path, common, Problems())
            unsure |= frozenset(["kind"])
        if spec is None:
            break
        if selecting:
            matchers = tuple(Matcher(axis, "=", variables[axis]) for axis in selecting)
            spec = spec.model_copy(update={"where": spec.where + matchers})
        entry = Entry(name, spec, document, span, from_defaults, variables, kind, doubts | unsure, cuts)
        left = _left_over(entry, copy, problems) if shared.marked else frozenset()
        entries.append(entry._replace(doubts=entry.doubts | left) if left else entry)
        if cuts or doubts or left:
            break  # every copy would repeat the same problems
    return entries


def _origin(document: Document, variables: dict[str, str], where: Sequence[str | int], offset: int) -> int:
    text = document.at(where)
    return origin_of(text, variables, offset) if isinstance(text, str) else offset


# Keys whose values name what is defined elsewhere, where they are looked up.
_NAMES = frozenset({"kind", "for_each", "severity", "active", "mute", "notify", "unless"})


def _left_over(entry: Entry, copy: dict[str, Any], problems: Problems) -> frozenset[str]:
    """Report each `<< >>` that would stand in PromQL as it is; the keys that hold one."""
    keys = copy.keys() - TEXTS - _NAMES - entry.doubts
    found = list(left_over({key: value for key, value in copy.items() if key in keys}))
    for path, offset, length in found:
        problems.add(
            "AK404", "only a variable of `for_each` can be put in here, as `<< name >>`",
            entry.within(offset, length, *path), "write the value itself",
        )  # fmt: skip
    return frozenset(str(path[0]) for path, _, _ in found)


def _unread_kind() -> type[Kind]:
    """Loaded only when there are mistakes."""
    from alertkit.compile.unread import Unread

    return Unread


@cache
def _fields(model: type[Kind]) -> frozenset[str]:
    """The keys that a kind takes from `defaults:`."""
    return frozenset(field_names(model)) - model.without_defaults


@cache
def numeric(model: type[Kind]) -> frozenset[str]:
    """The keys of a kind that say durations, numbers, quantities and units: no label of the alert depends on them."""

    def plain(annotation: Any) -> bool:
        if get_origin(annotation) is Annotated:
            return plain(get_args(annotation)[0])
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return all(map(plain, inner)) if inner else annotation in (int, float, Quantity, Levels, Unit)

    return frozenset(field.alias or name for name, field in model.model_fields.items() if plain(field.annotation))


@cache
def _stand_ins(model: type[Kind]) -> StandIns:
    """A duration, a ratio or a number for a kind's own keys, which it may need."""
    return dict.fromkeys(numeric(model).difference(field_names(Measured)), ("1d", "50%", 3))
