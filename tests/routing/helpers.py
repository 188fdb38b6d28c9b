"""One-line ways to compile a routing file in a test."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from alertkit.compile.route_tree import draft_routing
from alertkit.compile.routing import OLDEST, Routable, Routing, Version
from alertkit.emit.alertmanager import alertmanager_yaml
from alertkit.source import Problems, Span, load
from alertkit.source.problem import draw_all
from alertkit.spec.routing import load_routing


def alert(
    name: str,
    *severities: str,
    system: str = "shop",
    team: str = "web",
    identity: tuple[str, ...] | None = (),
    **more: object,
) -> Routable:
    """An alert with these levels, mildest first; a warning if none is given."""
    levels = tuple(
        {"alertname": name, "severity": severity, "system": system, "team": team}
        for severity in severities or ("warning",)
    )
    return Routable(name, system, levels, identity, Span("rules_src/shop.yaml", 7, 3), **more)  # type: ignore[arg-type]


def compiled(
    text: str | dict[str, str], alerts: Sequence[Routable] = (), version: Version = OLDEST
) -> tuple[Routing | None, str]:
    """The routing of these files, and the problems as they are drawn ("" if there are none)."""
    texts = {"routing.yaml": text} if isinstance(text, str) else text
    texts = {path: textwrap.dedent(body) for path, body in texts.items()}
    problems = Problems()
    documents = [load(body, path, problems) for path, body in texts.items()]
    files = [loaded for document in documents if document and (loaded := load_routing(document, problems))]
    routing = draft_routing(files, alerts, problems, version) if len(files) == len(texts) else None

    def line(path: str, number: int) -> str | None:
        lines = texts.get(path, "").split("\n")
        return lines[number - 1] if number <= len(lines) else None

    return (None, draw_all(problems, line_of=line)) if problems else (routing, "")


def routing_of(text: str | dict[str, str], alerts: Sequence[Routable] = (), version: Version = OLDEST) -> Routing:
    """The routing of files that must be right."""
    routing, drawn = compiled(text, alerts, version)
    assert routing is not None, drawn
    return routing


def emitted(text: str | dict[str, str], alerts: Sequence[Routable] = (), version: Version = OLDEST) -> str:
    """The alertmanager.yml of files that must be right."""
    return alertmanager_yaml(routing_of(text, alerts, version))
