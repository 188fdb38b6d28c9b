"""Results for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from alertkit.prove.results import Result, Skipped


def json_report(results: Iterable[Result], skipped: Iterable[Skipped]) -> str:
    """All results as one JSON object: `passed`, `results` (with `id` and place), `skipped`."""
    rows = [{"id": result.id, **asdict(result)} for result in results]
    body = {
        "passed": all(row["passed"] for row in rows),
        "results": rows,
        "skipped": [asdict(skip) for skip in skipped],
    }
    return json.dumps(body, indent=2, ensure_ascii=False)
