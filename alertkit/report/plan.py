"""A plan for people: what changes and what goes in full, long lists of what is new in numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from alertkit.deploy.compare import Difference, RuleChange
from alertkit.deploy.plan import Plan, ServerPlan, Told
from alertkit.source.problem import Style
from alertkit.spec.project import shown_path

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_FEW = 5  # so many additions of one sort are listed one by one
_SYSTEM = re.compile(r'\bsystem="([^"]+)"')
_GRAVEST_FIRST = ("critical", "warning", "info")


def plan_lines(plan: Plan, style: Style, verbose: bool = False) -> Iterator[str]:
    """Lines for a terminal; `verbose` lists every addition."""
    servers = list(plan.servers)
    alike = len(servers) > 1 and all(_shape(server) == _shape(servers[0]) for server in servers)
    if alike:
        yield from _server(servers[0], style, " and ".join(s.url for s in servers), verbose)
    else:
        for server in servers:
            yield from _server(server, style, server.url, verbose)
    if plan.routing:
        yield f"{style.bold}alertmanager{style.reset}"
        yield from _routing(plan.routing, verbose)
    yield from _told(plan.told, style, verbose)
    seen: set[str] = set()
    for server in servers:
        for effect in server.effects:
            labels = ", ".join(f'{name}="{value}"' for name, value in effect.labels)
            line = f"  {effect.alert}{{{labels}}} is {effect.state} and {_verb(effect.word)}: {effect.why}"
            if line not in seen:
                if not seen:
                    yield f"{style.bold}alerts that are active now{style.reset}"
                seen.add(line)
                yield f"{style.error if effect.word in ('resolves', 'resets') else ''}{line}{style.reset}"
    for path in plan.edited:
        yield f"changed by hand since the last apply: {shown_path(path)}"
    yield from plan.notes
    yield _summary(plan, alike, verbose)


def _shape(server: ServerPlan) -> tuple[object, ...]:
    """What a person is shown of a server's rules; when they were evaluated last does not count."""
    comparison = server.comparison
    changes = tuple((c.word, c.group, c.rule.name, c.rule.labels.get("severity"), c.differences)
                    for c in comparison.changes)  # fmt: skip
    return changes, comparison.groups, tuple((g.name, len(g.rules)) for g in comparison.foreign)


def _server(server: ServerPlan, style: Style, title: str, verbose: bool) -> Iterator[str]:
    comparison = server.comparison
    if not comparison.empty:
        yield f"{style.bold}{title}{style.reset}"
    for group, changes in groupby(comparison.changes, key=lambda change: change.group):
        listed = list(changes)
        added = [change for change in listed if change.word == "added"]
        short = len(added) > _FEW and not verbose
        if short:
            yield f"  + {_counted(added)} in {group}"
        for change in listed:
            if not (short and change.word == "added"):
                yield from _change(change)
    for group, difference in comparison.groups:
        yield f"  ~ group {group}: {_difference(difference)}"
    if comparison.foreign:
        count = sum(len(group.rules) for group in comparison.foreign)
        names = sorted({group.name for group in comparison.foreign})
        shown = ", ".join(names if verbose else names[:_FEW])
        more = f" and {len(names) - _FEW} more groups" if len(names) > _FEW and not verbose else ""
        yield f"not alertkit's, left alone on {title}: {_plural(count, 'rule')} in {shown}{more}"


def _counted(added: Sequence[RuleChange]) -> str:
    """How many alerts with how many rules of each severity, and records."""
    alerts = [change.rule for change in added if change.rule.kind == "alerting"]
    records = len(added) - len(alerts)
    said = []
    if alerts:
        levels = Counter(rule.labels.get("severity", "") or "no severity" for rule in alerts)
        order = sorted(levels, key=lambda s: _GRAVEST_FIRST.index(s) if s in _GRAVEST_FIRST else len(_GRAVEST_FIRST))
        rules = ", ".join(f"{levels[level]} {level}" for level in order)
        said.append(f"{_plural(len({rule.name for rule in alerts}), 'alert')} ({rules})")
    if records:
        said.append(_plural(records, "record"))
    return " and ".join(said)


def _change(change: RuleChange) -> Iterator[str]:
    rule = change.rule
    severity = rule.labels.get("severity")
    word = "alert" if rule.kind == "alerting" else "record"
    yield f"  {_SIGNS[change.word]} {word} {rule.name}{f' ({severity})' if severity else ''} in {change.group}"
    for difference in change.differences:
        if difference.what == "expression":
            yield f"      expression - {difference.old}"
            yield f"                 + {difference.new}"
        else:
            yield f"      {_difference(difference)}"


def _difference(difference: Difference) -> str:
    if difference.change != "changed":
        said = difference.new or difference.old
        return f"{difference.what}: {said}" if said else difference.what
    if not difference.old and not difference.new:
        return difference.what
    if not difference.old:
        return f"{difference.what}: {difference.new}"
    return f"{difference.what}: {difference.old} -> {difference.new or 'none'}"


def _routing(differences: Iterable[Difference], verbose: bool) -> Iterator[str]:
    """Removed, changed, added, as it was found; many additions of one sort become one line."""
    listed = list(differences)
    sorts: dict[str, list[Difference]] = {}
    for difference in listed:
        if difference.change == "added":
            sorts.setdefault(_sort(difference), []).append(difference)
    for difference in listed:
        if difference.change != "added":
            yield f"  {_SIGNS[difference.change]} {_difference(difference)}"
    for sort, added in sorts.items():
        if len(added) <= _FEW or verbose:
            for difference in added:
                yield f"  + {_difference(difference)}"
        elif sort == "inhibition":
            systems = Counter(m[1] if (m := _SYSTEM.search(d.new)) else "others" for d in added)
            yield f"  + {len(added)} inhibitions: {_numbers(systems)}"
        elif sort == "route":
            receivers = Counter(d.new.rpartition(" -> ")[2] for d in added)
            yield f"  + {len(added)} routes: {_numbers(receivers)}"
        else:
            yield f"  + {len(added)} {sort}s: {', '.join(d.what.removeprefix(sort).strip() for d in added)}"


def _sort(difference: Difference) -> str:
    """What sort of thing was added as a whole; a field of something is its own sort, and listed."""
    if difference.what in ("inhibition", "route"):
        return difference.what
    for sort in ("receiver", "mute time interval", "time interval"):
        if difference.what.startswith(f"{sort} ") and not difference.new:
            return sort
    return difference.what


def _told(told: Sequence[Told], style: Style, verbose: bool) -> Iterator[str]:
    first = [t for t in told if not t.old]
    rest = [t for t in told if t.old]
    if rest:
        yield f"{style.bold}told differently{style.reset}"
        for entry in rest:
            yield f"  {_named(entry)}: {_names(entry.old)} -> {_names(entry.new)}"
    if first:
        yield f"{style.bold}told for the first time{style.reset}"
    for system, entries in groupby(first, key=lambda t: t.system):
        listed = list(entries)
        if len(listed) <= _FEW or verbose:
            for entry in listed:
                yield f"  {_named(entry)}: {_names(entry.new)}"
        else:
            yield f"  {system or 'no system'}: {_numbers(Counter(name for t in listed for name in t.new))}"


def _numbers(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _named(told: Told) -> str:
    return f"{told.system + '/' if told.system else ''}{told.alert}{f' ({told.severity})' if told.severity else ''}"


def _names(receivers: tuple[str, ...]) -> str:
    return ", ".join(receivers) or "nobody"


def _verb(word: str) -> str:
    return {"resolves": "would resolve", "resets": "would start over", "fires": "would fire"}.get(word, "may resolve")


def _summary(plan: Plan, alike: bool, verbose: bool) -> str:
    if plan.empty:
        files = len({change.path for change in plan.changes})
        written = f"; {files} file{'s differ' if files != 1 else ' differs'} in comments only" if files else ""
        return f"plan for {plan.environment}: no change{written}"
    counts = dict.fromkeys(_SIGNS, 0)
    for server in plan.servers[:1]:
        for change in server.comparison.changes:
            counts[change.word] += 1
    said = ", ".join(f"{_plural(count, 'rule')} {word}" for word, count in counts.items() if count) or "no rule changes"
    if len(plan.servers) > 1 and not alike:
        said += " on the first server"
    first = sum(not told.old for told in plan.told)
    extra = [f"{len(plan.routing)} in alertmanager.yml"] if plan.routing else []
    extra += [f"{len(plan.told) - first} told differently"] if len(plan.told) > first else []
    extra += [f"{first} told for the first time"] if first else []
    more = "; -v lists every addition" if not verbose and (counts["added"] > _FEW or first > _FEW) else ""
    return f"plan for {plan.environment}: {', '.join([said, *extra])}{more}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
