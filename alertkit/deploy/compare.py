"""What differs in meaning between rules that a server has and rules that it shall have.

Expressions are compared as trees, so that spaces, parentheses and the way in which a server prints them do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path, PurePosixPath

from alertkit import promql
from alertkit.deploy.loaded import LoadedGroup, LoadedRule
from alertkit.deploy.verify import by_place
from alertkit.promql.tree import COMPARISONS, Binary, Call, MatrixSelector, NumberLiteral, Subquery
from alertkit.promql.walk import without_parens
from alertkit.spec.duration import format_duration
from alertkit.spec.quantity import format_number

# The newest server's language: what it prints must be read.
_NEWEST = (3, 99)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: `what` is threshold, window, expression, for, label severity, ...; "" is nothing.

    `change` is `added` or `removed` for what stands by itself, such as a receiver.
    """

    what: str
    old: str
    new: str
    change: str = "changed"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that is `added`, `removed` or `changed` (word); `old` and `new` are None where there is none."""

    word: str
    group: str
    old: LoadedRule | None
    new: LoadedRule | None
    differences: tuple[Difference, ...] = ()

    @property
    def rule(self) -> LoadedRule:
        rule = self.new or self.old
        assert rule is not None
        return rule

    @property
    def resets(self) -> bool:
        """Whether Prometheus forgets the state of the alert: it keeps it only for the same group, name and labels."""
        return self.word == "changed" and any(
            d.what == "group" or d.what.startswith("label ") for d in self.differences
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs; `foreign` are groups that alertkit does not own, `same` counts rules that stay as they are.

    `pairs` are all rules as they are and as they will be; None where there is none.
    """

    changes: tuple[RuleChange, ...]
    groups: tuple[tuple[str, Difference], ...]
    foreign: tuple[LoadedGroup, ...]
    same: int
    pairs: tuple[tuple[LoadedRule | None, LoadedRule | None], ...] = ()

    @property
    def empty(self) -> bool:
        return not self.changes and not self.groups


def compare(
    wanted: Sequence[LoadedGroup], loaded: Sequence[LoadedGroup], rules_dir: Path | None, owned: Collection[str]
) -> Comparison:
    """`owned` are the names of the files that alertkit wrote into `rules_dir` before."""
    names = {group.file for group in wanted} | set(owned)
    ours = by_place([g for g in loaded if PurePosixPath(g.file).name in names], rules_dir)
    kept = {id(group) for group in ours.values()}
    pool = [(g, rule) for g in ours.values() for rule in g.rules]
    fresh = [(g, rule) for g in wanted for rule in g.rules]
    pairs = list(_pairs(fresh, pool))
    changes = [
        RuleChange("removed", g.name, rule, None) for g, rule in pool if id(rule) not in {id(o) for *_, o in pairs}
    ]
    found: dict[int, RuleChange] = {}
    same = 0
    for group, new, before, old in pairs:
        different = tuple(_rule(group, new, before, old))
        if different:
            found[id(new)] = RuleChange("changed", group.name, old, new, different)
        else:
            same += 1
            found[id(new)] = RuleChange("", group.name, old, new)
    for group, new in fresh:
        change = found.get(id(new)) or RuleChange("added", group.name, None, new)
        if change.word:
            changes.append(change)
    changes.sort(key=lambda c: (c.group, c.rule.name))
    foreign = tuple(g for g in loaded if id(g) not in kept)
    both: list[tuple[LoadedRule | None, LoadedRule | None]] = [(old, new) for _, new, _, old in pairs]
    both += [(c.old, c.new) for c in changes if c.word in ("added", "removed")]
    return Comparison(tuple(changes), tuple(_groups(wanted, ours.values())), foreign, same, tuple(both))


_Placed = tuple[LoadedGroup, LoadedRule]


def _pairs(
    wanted: list[_Placed], loaded: list[_Placed]
) -> Iterator[tuple[LoadedGroup, LoadedRule, LoadedGroup, LoadedRule]]:
    """Rules that are the same one: by group, name and labels, then ever more loosely; records by name."""
    # Dictionaries, not loops over all: a build may have ten thousand rules.
    keys: tuple[Callable[[LoadedGroup, LoadedRule], object], ...] = (
        lambda g, r: (g.name, r.kind, r.name, tuple(sorted(r.labels.items()))),
        lambda g, r: (g.name, r.kind, r.name, r.labels.get("severity")),
        lambda g, r: (g.name, r.kind, r.name),
        lambda g, r: (r.kind, r.name, tuple(sorted(r.labels.items()))),
    )
    for key in keys:
        by_key: dict[object, list[_Placed]] = {}
        for placed in loaded:
            by_key.setdefault(key(*placed), []).append(placed)
        rest: list[_Placed] = []
        taken: set[int] = set()
        for group, rule in wanted:
            there = by_key.get(key(group, rule))
            if there:
                before, old = there.pop(0)
                taken.add(id(old))
                yield group, rule, before, old
            else:
                rest.append((group, rule))
        wanted = rest
        loaded = [placed for placed in loaded if id(placed[1]) not in taken]


def _rule(group: LoadedGroup, new: LoadedRule, before: LoadedGroup, old: LoadedRule) -> Iterator[Difference]:
    if group.name != before.name or PurePosixPath(group.file).name != PurePosixPath(before.file).name:
        yield Difference("group", f"{PurePosixPath(before.file).name}/{before.name}", f"{group.file}/{group.name}")
    yield from expressions(old.query, new.query)
    for word, was, will in (("for", old.for_, new.for_), ("keep_firing_for", old.keep_firing_for, new.keep_firing_for)):
        if was != will:
            yield Difference(word, format_duration(was), format_duration(will))
    for word, olds, news in (("label", old.labels, new.labels), ("annotation", old.annotations, new.annotations)):
        for key in sorted({*olds, *news}):
            if olds.get(key, "") != news.get(key, ""):
                yield Difference(f"{word} {key}", olds.get(key, ""), news.get(key, ""))


def _groups(wanted: Sequence[LoadedGroup], ours: Iterable[LoadedGroup]) -> Iterator[tuple[str, Difference]]:
    there = {group.name: group for group in ours}
    for group in wanted:
        old = there.get(group.name)
        if old is None:
            continue
        if group.interval and group.interval != old.interval:
            yield group.name, Difference("interval", format_duration(old.interval), format_duration(group.interval))
        if [(r.kind, r.name) for r in group.rules] != [(r.kind, r.name) for r in old.rules] and sorted(
            (r.kind, r.name) for r in group.rules
        ) == sorted((r.kind, r.name) for r in old.rules):
            yield group.name, Difference("order of rules", "", "")


@lru_cache(maxsize=20_000)
def _tree(text: str) -> promql.Expr | None:
    try:
        return without_parens(promql.parse(text, _NEWEST))
    except promql.PromqlError:
        return None


def canonical(text: str) -> str:
    """An expression in one form; as it is, on one line, when it cannot be parsed."""
    tree = _tree(text)
    return " ".join(text.split()) if tree is None else promql.to_text(tree)


def same_query(one: str, other: str) -> bool:
    """Whether two expressions are the same but for how they are written."""
    return one == other or canonical(one) == canonical(other)


def expressions(old: str, new: str) -> list[Difference]:
    """What differs between two expressions: numbers and windows by themselves, else the whole, canonically."""
    if same_query(old, new):
        return []
    one, other = _tree(old), _tree(new)
    if one is not None and other is not None:
        several = sum(isinstance(node, Binary) and node.op in COMPARISONS for node in promql.walk(one)) > 1
        found = _nodes(one, other, "number", several)
        if found:
            return list(dict.fromkeys(found))
    return [Difference("expression", canonical(old), canonical(new))]


def _nodes(old: promql.Expr, new: promql.Expr, number: str, several: bool) -> list[Difference] | None:
    """The differences of two trees of the same shape; None when their shape differs. `number` names a literal here.

    Of `several` comparisons each threshold says what it is compared with: a guard is not the level.
    """
    if type(old) is not type(new):
        return None
    if isinstance(old, NumberLiteral) and isinstance(new, NumberLiteral):
        return [] if old == new else [Difference(number, format_number(old.value), format_number(new.value))]
    found: list[Difference] = []
    for field in fields(old):
        was, will = getattr(old, field.name), getattr(new, field.name)
        if was == will or field.name in ("left", "right", "args", "expr", "param", "selector"):
            continue
        if isinstance(old, (MatrixSelector, Subquery)) and field.name == "range":
            found.append(Difference("window", format_duration(was), format_duration(will)))
        elif isinstance(old, Binary) and field.name == "op" and {was, will} <= COMPARISONS:
            found.append(Difference("comparison", was, will))
        else:
            return None
    ones, others = promql.children(old), promql.children(new)
    if len(ones) != len(others):
        return None
    inner = "number"
    if isinstance(old, Binary) and old.op in COMPARISONS:
        inner = f"threshold of {_short(promql.to_text(old.left))}" if several else "threshold"
    if isinstance(old, Call):
        inner = f"argument of {old.name}"
    for one, other in zip(ones, others, strict=True):
        below = _nodes(one, other, inner, several)
        if below is None:
            return None
        found += below
    return found


def _short(text: str) -> str:
    return text if len(text) <= 70 else text[:67] + "..."
