"""Plain promtool test files of a project, run against the compiled rules, with failures placed in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from alertkit.prove.plain.repository import read_repository
from alertkit.prove.plain.repository_run import cost_of, passed, unit_of
from alertkit.prove.running.output import Failure, FileVerdict, read_output
from alertkit.prove.running.pool import TIMEOUT, outputs
from alertkit.prove.running.results import Event, Planned, Result, id_of
from alertkit.prove.running.runner import Run
from alertkit.prove.running.select import selected
from alertkit.prove.running.words import compare
from alertkit.source import Document, Problems, Span
from alertkit.spec.duration import format_duration, parse_duration
from alertkit.spec.project import load_file, shown_path
from alertkit.toolchain import run as run_tool
from alertkit.toolchain import usable_cores


def prove_plain(files: Sequence[Path], run: Run, problems: Problems) -> Iterator[Event]:
    """One result for each wanted test of each file.

    Tests run with no more rules than can matter to them, and what passed before is known. A file of which anything
    fails is then run as it is, where it is: what is said of it is promtool's verdict on the whole file. A file with
    mistakes is a problem, and the others are run all the same, as only that shows theirs.
    """
    broken = Problems()  # of the tool: it ends the stream
    documents = [(path, document) for path in files if (document := load_file(path, problems)) is not None]
    checked = [
        (path, document)
        for path, document in documents
        if _sound(path, document, problems) and any(map(run.wants, ids_of(path, document)))
    ]
    yield Planned(sum(_count(test) for _, document in checked for test in _tests(document)))
    passing = {} if run.isolate else _passing([path for path, document in checked if _usual(document)], run, broken)
    for path, document in checked:
        if broken:
            break
        if path in passing:
            results = _results(path, document, FileVerdict(True, [], []), "", passing[path])
        else:
            results = _whole(path, document, run, problems, broken)
        yield from selected(results, run.wants)
    problems.extend(broken)


def check_files(files: Sequence[Path], problems: Problems) -> None:
    """What is wrong with plain files themselves: the rules that they read could not be compiled."""
    from alertkit.prove.plain.refused import look_through

    for path in files:
        document = load_file(path, problems)
        if document is not None:
            _some_tests(document, problems)
            look_through(document, problems)


def _usual(document: Document) -> bool:
    """Whether each test of a file can be cut out of it."""
    return len(_tests(document)) == len(document.data["tests"])


def _passing(paths: Sequence[Path], run: Run, problems: Problems) -> dict[Path, set[int]]:
    """The files of which all wanted tests pass, with the places of those that have passed before."""
    repository = read_repository(paths, unread := Problems())
    if unread:
        return {}
    tests = [test for test in repository.tests if run.wants(id_of(_name(test.path), "", "", test.title))]
    units = [unit_of(test) for test in tests]
    keys = [] if run.memory is None else [run.memory.key(text for _, text in unit) for unit in units]
    known = {place for place, key in enumerate(keys) if run.memory is not None and run.memory.passed(key)}
    waiting = [place for place in range(len(tests)) if place not in known]
    good = set(known)
    for index, text in outputs(
        [units[place] for place in waiting], [cost_of(tests[place]) for place in waiting], run.promtool,
        run.jobs or usable_cores(), problems,
    ):  # fmt: skip
        if passed(text):
            good.add(waiting[index])
            if run.memory is not None:
                run.memory.remember(keys[waiting[index]])
    failing = {test.path for place, test in enumerate(tests) if place not in good}
    return {
        path: {test.index for place, test in enumerate(tests) if test.path == path and place in known}
        for path in paths
        if path not in failing
    }


def _whole(path: Path, document: Document, run: Run, problems: Problems, broken: Problems) -> Iterator[Result]:
    """The results of a file that is run as it is; promtool's own words are kept where it fails.

    A file that promtool does not take has none: what is wrong with it is a problem.
    """
    done = run_tool([run.promtool.path, "test", "rules", path.resolve()], broken, timeout=TIMEOUT)
    if done is None:
        return
    verdicts = None if done.crashed else read_output(done.text, 1)
    if verdicts is None:
        broken.add(
            "AK620", f"promtool cannot run {shown_path(path)}: {_first(done.text)}", Span(shown_path(path), 1, 1),
            "run `promtool test rules` on the file by hand to see all that it says",
        )  # fmt: skip
        return
    raw = ""
    if verdicts[0].errors:
        from alertkit.prove.plain.refused import refused

        if refused(document, verdicts[0].errors, problems):
            return
    if not verdicts[0].passed:
        place = run.keep / f"{path.name}.txt"
        run.keep.mkdir(parents=True, exist_ok=True)
        place.write_text(done.text, encoding="utf-8")
        raw = shown_path(place)
    yield from _results(path, document, verdicts[0], raw)


def read_by(files: Sequence[Path]) -> Iterator[Path]:
    """The rule files that plain tests read, and the folders in which others may come to match."""
    for path in files:
        document = load_file(path, Problems())
        data = document.data if document is not None and isinstance(document.data, dict) else {}
        for pattern in data.get("rule_files") or ():
            if isinstance(pattern, str):
                yield from (path.parent / pattern, (path.parent / pattern).parent)
                yield from path.parent.glob(pattern) if not Path(pattern).is_absolute() else ()


def ids_of(path: Path, document: Document) -> list[str]:
    """The ids of the results of a file, in their order."""
    return [id_of(_name(path), "", "", _title(index, test)) for index, test in enumerate(_tests(document))]


def _name(path: Path) -> str:
    return path.name.split(".")[0]


def _title(index: int, test: dict[str, Any]) -> str:
    return str(test.get("name") or f"test {index + 1}")


def _first(text: str) -> str:
    rows = [row.strip() for row in text.split("\n") if row.strip() and "Unit Testing" not in row]
    return rows[0] if rows else "it printed nothing"


def _tests(document: Document) -> list[dict[str, Any]]:
    tests = document.data.get("tests") if isinstance(document.data, dict) else None
    return [test for test in tests if isinstance(test, dict)] if isinstance(tests, list) else []


def _count(test: dict[str, Any]) -> int:
    return sum(len(test.get(key) or []) for key in ("alert_rule_test", "promql_expr_test"))


def _some_tests(document: Document, problems: Problems) -> None:
    if not _tests(document):
        problems.add("AK801", "the file holds no tests", document.key(("tests",)), "add `tests:`, or remove the file")


def _sound(path: Path, document: Document, problems: Problems) -> bool:
    """What promtool would let pass without testing anything: no tests, and rule files that are not there."""
    before = len(problems)
    _some_tests(document, problems)
    data = document.data if isinstance(document.data, dict) else {}
    patterns = data.get("rule_files")
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else []):
        if not isinstance(pattern, str):
            continue
        absolute = Path(pattern)
        found = (
            absolute.is_file()
            if absolute.is_absolute()
            else any(path.parent.glob(pattern)) or (path.parent / pattern).is_file()
        )
        if not found:
            problems.add(
                "AK802", f"no rule file is at `{pattern}`", document.value(("rule_files", index)),
                "promtool would test nothing and call it a success; paths are relative to this file",
            )  # fmt: skip
    return len(problems) == before


def _results(
    path: Path, document: Document, verdict: FileVerdict, raw: str, known: Collection[int] = ()
) -> Iterator[Result]:
    """One for each test of a file; `known` are the places of those that were not run."""
    name = _name(path)
    for index, test in enumerate(_tests(document)):
        title = _title(index, test)
        mine = [f for f in verdict.failures if _belongs(f, test, title)]
        details: list[str] = []
        span = document.key(("tests", index))
        for failure in mine:
            place = _place(document, index, test, failure)
            span = place if not details else span
            details.append(f"{place}: at {format_duration(failure.time)}")
            if failure.expr:
                details += [f"  {failure.expr}", *(f"  {line.strip()}" for line in failure.lines if line.strip())]
            else:
                details += [f"  {line}" for line in compare(failure.alerts("exp"), failure.alerts("got"))]
        if not mine and not verdict.passed and verdict.errors:
            details = [f"promtool could not evaluate it: {error}" for error in verdict.errors]
        yield Result(name, "", "", title, not details, span, _count(test), tuple(details), raw, index in known)


def _belongs(failure: Failure, test: dict[str, Any], title: str) -> bool:
    if failure.test:
        return failure.test == str(test.get("name") or "") or (failure.test == title)
    return any(_same(failure, entry) for entry in _entries(test))


def _entries(test: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [*(test.get("alert_rule_test") or []), *(test.get("promql_expr_test") or [])]
    return [row for row in rows if isinstance(row, dict)]


def _same(failure: Failure, entry: dict[str, Any]) -> bool:
    if parse_duration(str(entry.get("eval_time", "0"))) != failure.time:
        return False
    return entry.get("expr") == failure.expr if failure.expr else entry.get("alertname") == failure.alert


def _place(document: Document, index: int, test: dict[str, Any], failure: Failure) -> Span:
    """The expectation in the test file that failed."""
    for key in ("alert_rule_test", "promql_expr_test"):
        for number, entry in enumerate(test.get(key) or []):
            if isinstance(entry, dict) and _same(failure, entry):
                return document.key(("tests", index, key, number))
    return document.key(("tests", index))
