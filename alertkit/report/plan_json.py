"""A plan for programs; docs/plan.md says what each field means."""

from __future__ import annotations

from typing import Any

from alertkit.deploy.compare import Difference, RuleChange
from alertkit.deploy.plan import Plan


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
        "routing": [{"change": d.change, **_difference_json(d)} for d in plan.routing],
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
