"""Routes of the files that no alert could ever reach: contradictions, and earlier routes that take everything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alertkit.compile.routing import Matcher
from alertkit.source import Problems, Span
from alertkit.spec import regex
from alertkit.spec.routing import Loaded
from alertkit.spec.routing import Route as RouteSpec

Path = tuple[str | int, ...]


def holds(matcher: Matcher, value: str) -> bool:
    """Whether a matcher takes this value of its label ("" for a label that is not there)."""
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return regex.matcher(matcher.value)(value) == (matcher.op == "=~")


class _Facts:
    """What matchers together say: the values that a label can have where they are few, and the matchers themselves."""

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        self.matchers = frozenset(matchers)
        self.values: dict[str, frozenset[str]] = {}
        for matcher in self.matchers:
            few = _few(matcher)
            if few is not None:
                known = self.values.get(matcher.label)
                self.values[matcher.label] = few if known is None else known & few
        for matcher in self.matchers:
            if matcher.label in self.values:
                left = frozenset(v for v in self.values[matcher.label] if holds(matcher, v))
                self.values[matcher.label] = left

    def impossible(self) -> str | None:
        """A label that no value is left for."""
        return next((label for label, values in sorted(self.values.items()) if not values), None)

    def imply(self, matcher: Matcher) -> bool:
        if matcher in self.matchers:
            return True
        values = self.values.get(matcher.label)
        return values is not None and all(holds(matcher, value) for value in values)


def _few(matcher: Matcher) -> frozenset[str] | None:
    """All values that a matcher takes, where that is a list of words."""
    if matcher.op == "=":
        return frozenset([matcher.value])
    if matcher.op != "=~":
        return None
    return frozenset(words) if (words := regex.words(matcher.value)) is not None else None


def check_reach(files: Sequence[Loaded], problems: Problems) -> None:
    """Report each route that can never match, with the reason."""
    top = [(route, loaded, ("routes", index)) for loaded in files for index, route in enumerate(loaded.file.routes)]
    _level(top, (), problems)


def _level(siblings: Sequence[tuple[RouteSpec, Loaded, Path]], above: tuple[Matcher, ...], problems: Problems) -> None:
    # Earlier routes that end the search, under one `label=value` that they need, or under None.
    before: dict[tuple[str, str] | None, list[tuple[tuple[Matcher, ...], Span]]] = {}
    for route, loaded, path in siblings:
        facts = _Facts((*above, *route.match))
        span = loaded.key(*path)
        label = facts.impossible()
        earlier = None if label else _taken(facts, before)
        if label:
            problems.add(
                "AK516", f"this route can never match: no value of `{label}` fits all its matchers",
                loaded.key(*path, "match"), "also the matchers of the routes around it must hold",
            )  # fmt: skip
        elif earlier:
            problems.add(
                "AK516", f"this route can never match: the one at {earlier} takes all of its alerts first", span,
                "put this route before it or into its `routes:`, or give that one `continue: true`",
            )  # fmt: skip
        else:
            nested = [(child, loaded, (*path, "routes", index)) for index, child in enumerate(route.routes)]
            _level(nested, (*above, *route.match), problems)
        if not route.continue_:
            needs = next(((m.label, m.value) for m in route.match if m.op == "="), None)
            before.setdefault(needs, []).append((route.match, span))


def _taken(facts: _Facts, before: dict[tuple[str, str] | None, list[tuple[tuple[Matcher, ...], Span]]]) -> Span | None:
    keys: list[tuple[str, str] | None] = [None]
    keys += [(label, next(iter(values))) for label, values in facts.values.items() if len(values) == 1]
    for key in keys:
        for matchers, span in before.get(key, ()):
            if all(facts.imply(matcher) for matcher in matchers):
                return span
    return None
