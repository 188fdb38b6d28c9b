"""`notified:` expectations of the scenarios in `promtool_tests/*.yaml`.

`notified: {Alert: [receiver, ...]}` stands in a scenario's `expect`; a key may carry labels:
`Alert{severity="critical"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from alertkit.routing.check import Expectation
from alertkit.source import Document, Problems
from alertkit.spec.matchers import parse_matcher
from alertkit.spec.project import load_file

_KEY = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*\Z", re.DOTALL)
_LABEL = re.compile(r'[^,"]*"(?:[^"\\]|\\.)*"|[^,]+')


def read_expectations(folder: Path, problems: Problems) -> list[Expectation]:
    """All expectations of a folder of scenario files; plain promtool tests have none."""
    found: list[Expectation] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        document = load_file(path, problems)
        if document and isinstance(document.data, dict) and isinstance(document.data.get("scenarios"), dict):
            found += expectations_of(document, problems)
    return found


def expectations_of(document: Document, problems: Problems, only: str | None = None) -> Iterator[Expectation]:
    """The expectations of one scenario file, or of the scenario `only` in it."""
    system = document.data.get("system")
    for name, scenario in document.data["scenarios"].items():
        if only is not None and name != only:
            continue
        expect = scenario.get("expect") if isinstance(scenario, dict) else None
        notified = expect.get("notified") if isinstance(expect, dict) else None
        if notified is None:
            continue
        base = ("scenarios", name, "expect", "notified")
        if not isinstance(notified, dict):
            problems.add(
                "AK524", "`notified` must be a mapping of alert to receivers", document.value(base),
                "write it like {HighErrorRate: [team-slack]}",
            )  # fmt: skip
            continue
        for key, receivers in notified.items():
            labels = _labels(str(key), system)
            names = [receivers] if isinstance(receivers, str) else receivers
            if labels is None or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
                problems.add(
                    "AK524", f"`{key}` is not an expectation of who is notified", document.key((*base, key)),
                    'write it like Alert: [receiver] or Alert{severity="critical"}: [receiver]',
                )  # fmt: skip
                continue
            yield Expectation(labels, tuple(names), document.key((*base, key)))


def _labels(key: str, system: Any) -> dict[str, str] | None:
    found = _KEY.match(key)
    if not found:
        return None
    labels = {"alertname": found[1]} | ({"system": str(system)} if system else {})
    for part in _LABEL.findall(found[2] or ""):
        if part.strip():
            try:
                matcher = parse_matcher(part)
            except PydanticCustomError:
                return None
            if matcher.op != "=":
                return None
            labels[matcher.label] = matcher.value
    return labels
