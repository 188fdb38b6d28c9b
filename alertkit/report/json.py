"""Results for programs, as `results.schema.json` beside this file says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from alertkit.prove.running.results import Result, Skipped, Trace
from alertkit.source import Problem

SCHEMA = Path(__file__).with_name("results.schema.json")
VERSION = 1


def json_report(
    results: Sequence[Result], skipped: Iterable[Skipped], traces: Mapping[str, Trace] | None = None,
    problems: Sequence[Problem] = (),
) -> str:  # fmt: skip
    """All results as one JSON object: `passed`, `results` (with `id` and place), `skipped`, `problems`."""
    rows = [{"id": result.id, **asdict(result), "trace": _trace((traces or {}).get(result.id))} for result in results]
    body = {
        "version": VERSION,
        "passed": not problems and all(result.passed for result in results),
        "results": rows,
        "skipped": [asdict(skip) for skip in skipped],
        "problems": [asdict(problem) for problem in problems],
    }
    return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False)


def _trace(trace: Trace | None) -> object:
    if trace is None:
        return None
    return {
        "failed_at": trace.failed_at,
        "edges": [{"severity": severity, "op": c.op, "value": c.value} for severity, c in trace.edges],
        # Infinity has no number in JSON.
        "moments": [
            {"time": m.time, "value": m.value if m.value is None or abs(m.value) < float("inf") else None,
             "state": m.state}
            for m in trace.moments
        ],
    }  # fmt: skip
