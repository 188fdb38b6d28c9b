"""Results as JUnit XML, as Jenkins, GitLab, GitHub actions and CircleCI read it.

One `testsuite` for each system, one `testcase` for each case. What an alert cannot have is `skipped`, with the
reason; problems that ended the run are an `error` each. There is no single definition of the format; this is what the
schemas of Jenkins and of the Ant task have in common, with `file` and `line`, which GitLab and CircleCI show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from alertkit.prove.running.results import Result, Skipped
from alertkit.source import Problem, Span

# All that XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS = ("failure", "error", "skipped")


def junit_report(
    results: Iterable[Result], skipped: Iterable[Skipped], problems: Iterable[Problem] = (), seconds: float = 0.0
) -> str:
    """The text of the file."""
    suites: dict[str, ET.Element] = {}

    def case(system: str, alert: str, name: str, span: Span | None) -> ET.Element:
        if system not in suites:
            suites[system] = ET.Element("testsuite", name=_clean(system))
        labels = {"classname": _clean(".".join(filter(None, (system, alert)))), "name": _clean(name)}
        if span is not None:
            labels |= {"file": _clean(span.path), "line": str(span.line)}
        return ET.SubElement(suites[system], "testcase", labels)

    for result in results:
        name = "::".join(filter(None, (result.severity, result.case)))
        element = case(result.system, result.alert, name, result.span)
        if not result.passed:
            _add(element, "failure", " ".join(result.details[:2]), result.id, _body(result))
    for skip in skipped:
        element = case(skip.system, skip.alert, skip.case or "generated cases", skip.span)
        _add(element, "skipped", skip.reason)
    for problem in problems:
        element = case("alertkit", "", problem.code, problem.span)
        _add(element, "error", problem.message, problem.code, _say(problem))
    root = ET.Element("testsuites", name="alertkit", time=f"{seconds:.3f}")
    for suite in suites.values():
        _count(suite, list(suite))
        root.append(suite)
    _count(root, list(root.iter("testcase")))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    for attribute, kind in zip(("failures", "errors", "skipped"), _KINDS, strict=True):
        element.set(attribute, str(sum(case.find(kind) is not None for case in cases)))


def _add(element: ET.Element, kind: str, message: str, type: str = "", text: str = "") -> None:
    child = ET.SubElement(element, kind, {"message": _clean(message)} | ({"type": _clean(type)} if type else {}))
    child.text = _clean(text) or None


def _body(result: Result) -> str:
    rows = [str(result.span), *result.details]
    return "\n".join([*rows, f"promtool's own words: {result.raw}"] if result.raw else rows)


def _say(problem: Problem) -> str:
    place = f"{problem.span}: " if problem.span else ""
    return f"{place}{problem.message}" + (f"\nhelp: {problem.help}" if problem.help else "")


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
