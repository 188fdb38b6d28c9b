"""Results as GitHub workflow commands, which GitHub draws as annotations on the lines of a pull request.

Source of the format: GitHub documentation, "Workflow commands for GitHub Actions", and the escaping of
`actions/toolkit`, `packages/core/src/command.ts`. GitHub shows ten errors of a step, so the cases of one line are one
annotation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from alertkit.prove.running.results import Result
from alertkit.source import Problem, Span


def github_report(
    results: Iterable[Result], problems: Iterable[Problem] = (), environment: Mapping[str, str] | None = None
) -> str:
    """One `::error` line for each place with failed cases and for each problem; empty when all passed."""
    workspace = (os.environ if environment is None else environment).get("GITHUB_WORKSPACE", "")
    places: dict[Span, list[Result]] = {}
    for result in results:
        if not result.passed:
            places.setdefault(result.span, []).append(result)
    rows = []
    for span, failed in places.items():
        title = failed[0].id
        if len(failed) > 1:
            name = "::".join(filter(None, (failed[0].system, failed[0].alert)))
            title = f"{name}: {len(failed)} cases failed"
        lines = []
        for result in failed:
            lines += [f"{result.case} {result.severity}".rstrip()] if len(failed) > 1 else []
            lines += result.details
        rows.append(_command(span, title, "\n".join(lines), workspace))
    for problem in problems:
        message = problem.message + (f"\nhelp: {problem.help}" if problem.help else "")
        rows.append(_command(problem.span, problem.code, message, workspace))
    return "\n".join(rows)


def _command(span: Span | None, title: str, message: str, workspace: str) -> str:
    properties = {"title": title}
    if span is not None:
        place = {"file": _in_repository(span.path, workspace), "line": str(span.line), "col": str(span.column)}
        properties = place | properties
    words = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::error {words}::{_data(message)}"


def _in_repository(path: str, workspace: str) -> str:
    """The path below the checkout: alertkit may be run in a folder of it."""
    if not workspace:
        return path
    absolute = Path(path).resolve()
    base = Path(workspace).resolve()
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
