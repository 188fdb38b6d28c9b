"""A plan for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alertkit.deploy.compare import Difference, RuleChange
from alertkit.deploy.plan import Plan, ServerPlan, Told
from alertkit.source.problem import Style
from alertkit.spec.project import shown_path

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def plan_lines(plan: Plan, style: Style, verbose: bool = False) -> Iterator[str]:
    """Lines for a terminal."""
    servers = list(plan.servers)
    alike = len(servers) > 1 and all(s.comparison.changes == servers[0].comparison.changes for s in servers)
    if alike:
        yield from _server(servers[0], style, " and ".join(s.url for s in servers), verbose)
    else:
        for server in servers:
            yield from _server(server, style, server.url, verbose)
    if plan.routing:
        yield f"{style.bold}alertmanager{style.reset}"
        for difference in plan.routing:
            yield f"  ~ {_difference(difference)}"
    if plan.told:
        yield f"{style.bold}told differently{style.reset}"
        for told in plan.told:
            yield f"  {_named(told)}: {_names(told.old)} -> {_names(told.new)}"
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
    yield _summary(plan)


def _server(server: ServerPlan, style: Style, title: str, verbose: bool) -> Iterator[str]:
    comparison = server.comparison
    if not comparison.empty:
        yield f"{style.bold}{title}{style.reset}"
    for change in comparison.changes:
        yield from _change(change)
    for group, difference in comparison.groups:
        yield f"  ~ group {group}: {_difference(difference)}"
    if comparison.foreign:
        count = sum(len(group.rules) for group in comparison.foreign)
        names = ", ".join(sorted({group.name for group in comparison.foreign})[: None if verbose else 5])
        yield f"not alertkit's, left alone on {title}: {count} rule{'s' * (count != 1)} in {names}"


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
    if not difference.old and not difference.new:
        return difference.what
    if not difference.old:
        return f"{difference.what}: {difference.new}"
    return f"{difference.what}: {difference.old} -> {difference.new or 'none'}"


def _named(told: Told) -> str:
    return f"{told.system + '/' if told.system else ''}{told.alert}{f' ({told.severity})' if told.severity else ''}"


def _names(receivers: tuple[str, ...]) -> str:
    return ", ".join(receivers) or "nobody"


def _verb(word: str) -> str:
    return {"resolves": "would resolve", "resets": "would start over", "fires": "would fire"}.get(word, "may resolve")


def _summary(plan: Plan) -> str:
    counts = dict.fromkeys(_SIGNS, 0)
    for server in plan.servers[:1]:
        for change in server.comparison.changes:
            counts[change.word] += 1
    if plan.empty:
        files = len({change.path for change in plan.changes})
        written = f"; {files} file{'s differ' if files != 1 else ' differs'} in comments only" if files else ""
        return f"plan for {plan.environment}: no change{written}"
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no rule changes"
    if len(plan.servers) > 1:
        said += " on the first server"
    extra = [f"{len(plan.routing)} in alertmanager.yml"] if plan.routing else []
    extra += [f"{len(plan.told)} told differently"] if plan.told else []
    return f"plan for {plan.environment}: {', '.join([said, *extra])}"


def plan_json(plan: Plan) -> dict[str, Any]:
    """The whole plan as JSON data."""
    return {
        "environment": plan.environment,
        "changes": not plan.empty,
        "servers": [
            {
                "url": server.url,
                "rules": [_change_json(change) for change in server.comparison.changes],
                "groups": [{"group": group, **_difference_json(d)} for group, d in server.comparison.groups],
                "unchanged": server.comparison.same,
                "foreign": [
                    {"file": g.file, "group": g.name, "rules": [r.name for r in g.rules]}
                    for g in server.comparison.foreign
                ],
                "active": [
                    {"alert": e.alert, "labels": dict(e.labels), "state": e.state, "effect": e.word, "why": e.why}
                    for e in server.effects
                ],
            }
            for server in plan.servers
        ],
        "routing": [_difference_json(difference) for difference in plan.routing],
        "told": [
            {"alert": t.alert, "severity": t.severity, "system": t.system, "old": list(t.old), "new": list(t.new)}
            for t in plan.told
        ],
        "edited_by_hand": [str(path) for path in plan.edited],
        "files": [str(change.path) for change in plan.changes],
        "notes": list(plan.notes),
    }


def _change_json(change: RuleChange) -> dict[str, Any]:
    rule = change.rule
    return {
        "change": change.word, "group": change.group, "kind": rule.kind, "name": rule.name,
        "severity": rule.labels.get("severity", ""), "differences": [_difference_json(d) for d in change.differences],
    }  # fmt: skip


def _difference_json(difference: Difference) -> dict[str, str]:
    return {"what": difference.what, "old": difference.old, "new": difference.new}
