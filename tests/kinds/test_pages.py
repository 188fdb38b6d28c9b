"""Every kind's docstring is its reference page."""

from __future__ import annotations

import re

import pytest

from alertkit.kinds import Registry, describe


@pytest.mark.parametrize("name", list(Registry()))
def test_every_built_in_kind_has_a_page(name: str) -> None:
    kind = Registry()[name]
    page = describe.page(kind)
    first, blank, *_ = page.split("\n")
    assert first.endswith(".") and blank == ""
    for section in ("Parameters\n", "PromQL[:,] ", "Pitfalls: ", "Source: "):
        assert re.search(rf"^{section}", page, re.MULTILINE), f"{name} lacks `{section.strip()}`"
    body = page.split("Parameters\n", 1)[1].split("\n\n", 1)[0]
    assert all(row.startswith("  ") for row in body.split("\n"))
    undocumented = [row.name for row in describe.parameters(kind) if not re.search(rf"\b{row.name}\b", page)]
    assert undocumented == []


def test_types_in_words() -> None:
    rows = {row.name: row for row in describe.parameters(Registry()["threshold"])}
    assert rows["metric"].type == "metric" and rows["metric"].default is None
    assert rows["window"].type == "duration" and rows["window"].default == "none"
    assert rows["aggregate"].type == "one of max, min, avg, sum"
    assert rows["over"].default == "last"
    assert next(row for row in describe.parameters(Registry()["rate"]) if row.name == "window").default == "5m"
