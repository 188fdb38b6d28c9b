"""Recorded data: CSV files with a column of times and columns of values.

    time,value
    2024-03-01T09:00:00Z,101.5
    2024-03-01T09:00:15Z,

Times are Unix seconds, ISO 8601 or Prometheus durations, and rise; the first is where the segment begins. An empty
value is a missed scrape.
"""

from __future__ import annotations

import csv
import datetime
import math
from dataclasses import dataclass
from pathlib import Path

from alertkit.series.write import Sample
from alertkit.spec.duration import parse_duration
from alertkit.spec.validate import suggest

LARGEST = 64 * 1024 * 1024


class RecordedError(Exception):
    """What is wrong with a file, at its `line` (1-based; 0: with the file as a whole), and what to do."""

    def __init__(self, message: str, line: int, help: str) -> None:
        super().__init__(message)
        self.message, self.line, self.help = message, line, help


@dataclass(frozen=True, slots=True)
class Recording:
    """Rows as (milliseconds after the first, value or None); at least one."""

    rows: tuple[tuple[int, float | None], ...]

    @property
    def length(self) -> int:
        return self.rows[-1][0]

    def sampled(self, step: int, count: int) -> list[Sample]:
        """`count` samples, `step` ms apart: each the last row since the sample before; None where there is none."""
        samples: list[Sample] = []
        row = 0
        for i in range(count):
            found: float | None = None
            while row < len(self.rows) and self.rows[row][0] <= i * step:
                found = self.rows[row][1]
                row += 1
            samples.append(found)
        return samples


def read_recording(path: Path, column: str | None) -> Recording:
    """Read a file; raises `RecordedError`."""
    try:
        if path.stat().st_size > LARGEST:
            raise RecordedError("the file is larger than 64 MB", 0, "keep the part that matters")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RecordedError(
            f"the file cannot be read: {error.strerror or error}", 0, "paths are relative to the scenario's file"
        ) from None
    except UnicodeDecodeError:
        raise RecordedError("the file is not UTF-8 text", 0, "save it as UTF-8, columns apart by commas") from None
    try:
        lines = list(csv.reader(text.split("\n")))
    except csv.Error as error:
        raise RecordedError(f"the file is not CSV: {error}", 0, "save it as CSV, columns apart by commas") from None
    rows = [(number, [cell.strip() for cell in line]) for number, line in enumerate(lines, 1) if any(line)]
    if len(rows) < 2:
        raise RecordedError("the file holds no data", 0, "its first line names the columns: time,value")
    time, value = _columns(rows[0][0], rows[0][1], column)
    return Recording(_read(rows[1:], time, value))


def _columns(line: int, header: list[str], column: str | None) -> tuple[int, int]:
    names = [name.lower() for name in header]
    if "time" not in names and "timestamp" not in names:
        raise RecordedError("no column is called `time`", line, "its first line names the columns: time,value")
    time = names.index("time") if "time" in names else names.index("timestamp")
    others = [i for i in range(len(header)) if i != time]
    if not others:
        raise RecordedError("the file has no column of values", line, "its first line names the columns: time,value")
    if column is None:
        if "value" in names:
            return time, names.index("value")
        if len(others) > 1:
            shown = ", ".join(header[i] for i in others)
            raise RecordedError("there are several columns", line, f"say which: `column NAME` with one of {shown}")
        return time, others[0]
    if column not in header:
        raise RecordedError(f"there is no column `{column}`", line, suggest(column, [header[i] for i in others]))
    return time, header.index(column)


def _read(rows: list[tuple[int, list[str]]], time: int, value: int) -> tuple[tuple[int, float | None], ...]:
    found: list[tuple[int, float | None]] = []
    first = 0
    for line, cells in rows:
        if len(cells) <= max(time, value):
            raise RecordedError("a column is missing in this line", line, "give each line as many columns as the first")
        at = _time(cells[time])
        if at is None:
            raise RecordedError(
                f"`{cells[time][:40]}` is no time", line, "write Unix seconds, 2024-03-01T09:00:00Z, or 90s"
            )
        first = at if not found else first
        if found and at - first <= found[-1][0]:
            raise RecordedError(f"the time {cells[time]} is not after the one before", line, "sort the lines by time")
        found.append((at - first, _value(cells[value], line)))
    return tuple(found)


def _time(text: str) -> int | None:
    """Milliseconds."""
    try:
        seconds = float(text)
        return round(seconds * 1000) if math.isfinite(seconds) else None
    except ValueError:
        pass
    duration = parse_duration(text)
    if duration is not None:
        return duration
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return round(moment.timestamp() * 1000)


def _value(text: str, line: int) -> float | None:
    if not text:
        return None
    try:
        if "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise RecordedError(f"`{text[:40]}` is no number", line, "write a number, or nothing for a missed scrape")
