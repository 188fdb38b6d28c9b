"""No routing file ends in a traceback or a hang, and no secret in a message."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.emit.alertmanager import alertmanager_yaml
from tests.routing.amtools import found
from tests.routing.helpers import compiled
from tests.routing.test_emit import ALERTS, EXAMPLE, FULL

SECRET = "verysecretvalue"
SCALARS = st.sampled_from([
    None, True, 0, -1, 1.5, "", "a", "same", "5m", "office", "nyse", "#a", "=~ [", "=~ (a|b)+", "!= x", "09:00-18:00",
    "24:00-24:00", "-31", "monday", "\u0000", "{{ x", "...", "a\nb", 10**30, "critical", "é", "\ud800", "XNYS",
])  # fmt: skip
NODES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["match", "to", "routes", "slack", "channel", "when", "mutes", "x y"]), inner)
    ),
    max_leaves=6,
)


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in items for place in _places(value, (*path, key)))]


PLACES = _places(yaml.safe_load(FULL))[1:]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sampled_from(PLACES), NODES, st.booleans())
def test_any_value_anywhere(place: tuple[Any, ...], node: Any, drop: bool) -> None:
    """Also: what alertkit accepts, Alertmanager accepts."""
    data = yaml.safe_load(FULL)
    parent = data
    for part in place[:-1]:
        parent = parent[part]
    if drop:
        del parent[place[-1]]
    else:
        parent[place[-1]] = node
    routing, drawn = compiled(yaml.safe_dump(data, allow_unicode=True), ALERTS)
    assert (routing is None) == bool(drawn)
    if routing and found():
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "alertmanager.yml"
            config.write_text(alertmanager_yaml(routing), encoding="utf-8")
            good, said = found()[0].check(config)
            assert good, said + config.read_text()


@settings(max_examples=200, deadline=5000, derandomize=True)
@given(st.sampled_from([EXAMPLE, FULL]), st.integers(0, 3000), st.integers(0, 40), st.text(max_size=5))
def test_any_edit(text: str, at: int, cut: int, put: str) -> None:
    edited = text[: at % len(text)] + put + text[at % len(text) + cut :]
    routing, drawn = compiled(edited, ALERTS)
    assert (routing is None) == bool(drawn)


@settings(max_examples=200, deadline=5000, derandomize=True)
@given(
    st.sampled_from(["webhook", "routing_key", "api_key", "password", "webhook_file"]),
    st.sampled_from([SECRET, f"https://h.example.com/{SECRET}", f'"{SECRET}"', f"'{SECRET}'", f"[{SECRET}]"]),
    st.sampled_from(["slack", "pagerduty", "email", "opsgenie", "msteams"]),
    st.sampled_from(["", ", x: 1", ", channel: a", "}", ", : [", "\n"]),
)
def test_no_secret_in_messages(key: str, value: str, kind: str, more: str) -> None:
    text = f"receivers:\n  a: {{{kind}: {{{key}: {value}{more}}}}}\ndefault: b\n"
    _, drawn = compiled(text)
    assert drawn and (SECRET not in drawn or (key == "webhook_file" and "://" not in value))
