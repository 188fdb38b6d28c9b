"""Reading what `promtool test rules` prints.

Every version prints one `SUCCESS` or `FAILED:` line for each file, in the order of the arguments; below a `FAILED:`
line stand the failures of the files so far. Alert failures name alert and time, expression failures the expression;
the name of the test stands before an alert failure, and counts for that one alone.
Measured on 2.42, 2.53 and 3.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from alertkit.spec.duration import parse_duration

_ALERT = re.compile(r"\s*alertname: ?(.*?), time: ?([^,]+),\s*$")
_EXPR = re.compile(r'\s*expr: "(.*)", time: ?([^,]+),\s*(.*)$')
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ALERTNAME = re.compile(r'alertname=\\?"((?:[^"\\]|\\[^"])*)\\?"')


@dataclass(slots=True)
class Failure:
    """One expectation that did not hold: of `alert` (or an expression, `expr`) at `time` in milliseconds.

    `test` is the name of its test where promtool says it. `lines` are promtool's own.
    """

    test: str
    alert: str
    time: int
    expr: str = ""
    lines: list[str] = field(default_factory=list)

    def alerts(self, word: str) -> list[tuple[dict[str, str], dict[str, str]]]:
        """The alerts after `exp:` or `got:`."""
        text = "\n".join(self.lines)
        begin = text.find(f"{word}:[")
        if begin < 0:
            return []
        end = text.find("got:[", begin + 1) if word == "exp" else len(text)
        found = []
        labels: dict[str, str] = {}
        for line in text[begin:end].split("\n"):
            stripped = line.strip()
            if stripped.startswith("Labels:"):
                labels = _pairs(stripped)
            elif stripped.startswith("Annotations:"):
                found.append((labels, _pairs(stripped)))
        return found


def _pairs(text: str) -> dict[str, str]:
    return {name: _unquote(value) for name, value in _PAIR.findall(text)}


def _unquote(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), value)


@dataclass(slots=True)
class FileVerdict:
    """The verdict on one test file: `errors` are lines that are no failed expectation, such as an evaluation error."""

    passed: bool
    failures: list[Failure] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read_output(text: str, files: int) -> list[FileVerdict] | None:
    """One verdict for each file, in order; None when the output is not what promtool prints."""
    verdicts: list[FileVerdict] = []
    current: FileVerdict | None = None
    failure: Failure | None = None
    test = ""
    for line in text.split("\n"):
        word = line.strip()
        if word == "SUCCESS":
            verdicts.append(FileVerdict(True))
            current, failure = None, None
        elif word == "FAILED:":
            current, failure = FileVerdict(False), None
            verdicts.append(current)
        elif current is None or not word or word.startswith("Unit Testing:"):
            continue
        elif line.startswith("    name: ") and word.endswith(","):
            test, failure = word[len("name: ") : -1], None
        elif (match := _ALERT.match(line)) is not None and (time := parse_duration(match[2].strip())) is not None:
            failure, test = Failure(test, match[1], time), ""
            current.failures.append(failure)
        elif (match := _EXPR.match(line)) is not None and (time := parse_duration(match[2].strip())) is not None:
            named = _ALERTNAME.search(match[1])
            failure = Failure(test, named[1] if named else "", time, match[1].replace('\\"', '"'), [match[3]])
            test = ""
            current.failures.append(failure)
        elif failure is not None and line.startswith("        "):
            failure.lines.append(line)
        else:
            failure = None
            current.errors.append(word)
    return verdicts if len(verdicts) == files else None
