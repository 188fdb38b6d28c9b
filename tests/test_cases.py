"""Every file of tests/cases through the real command line, compared to the byte.

ALERTKIT_UPDATE_CASES=1 writes the outcomes anew, after a deliberate change: read the difference before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from alertkit.cli import main
from alertkit.source.problem import forget_files
from tests.case_files import Case, parse_case, snapshot, write_files

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(FOLDER.glob("**/*.txt"))
UPDATE = os.environ.get("ALERTKIT_UPDATE_CASES") == "1"


def run(case: Case, folder: Path) -> dict[str, str]:
    """The outcome of a case: exit code, both outputs, and the written files that it names."""
    write_files(case, folder)
    before = snapshot(folder)
    forget_files()
    done = CliRunner().invoke(main, list(case.arguments), prog_name="alertkit")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    after = snapshot(folder)
    if done.exit_code:
        assert after == before, f"a failure must write nothing: {sorted(after.keys() ^ before.keys())}"
    results = {"exit": f"{done.exit_code}\n", "stdout": done.stdout, "stderr": done.stderr}
    for section in case.expected:
        if section.name.startswith("build/"):
            results[section.name] = after.get(section.name, b"").decode()
    return results


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix("")))
def test_case(
    path: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = parse_case(path.read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    results = run(case, tmp_path)
    if UPDATE:
        path.write_text(str(case.with_outcome(results)), encoding="utf-8")
        return
    assert results == {name: case.outcome(name) for name in results}


def test_a_case_reads_back_as_it_was_written() -> None:
    for path in CASES:
        text = path.read_text(encoding="utf-8")
        case = parse_case(text)
        assert str(case) == text, path
        assert str(case.with_outcome({s.name: s.text for s in case.expected})) == text, path
