"""`pytest promtool_tests`: everything that `alertkit test` proves, as items of pytest.

When the folder of tests of an alertkit project is collected, so are the generated cases of its specs; the files in it
are its scenarios and plain promtool files. All selected items of a session are proven in one batch, when the first of
them is set up; under xdist the first process to get there does it, and the others read the verdicts.

For everybody else this costs one look for `alertkit.yaml` in each folder: nothing of alertkit is imported until a
folder of tests is collected. `--no-alertkit` turns it off.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tempfile
import uuid
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from alertkit.report.verdicts import Answers, Entry, Listing

_TESTS = re.compile(r"""^tests:[ \t]*["']?([^"'#\n]+?)["']?[ \t]*(?:#.*)?$""", re.MULTILINE)
_SPECS = re.compile(_TESTS.pattern.replace("tests", "specs"), re.MULTILINE)
_YAML = (".yaml", ".yml")
_PLAIN = (".test.yaml", ".test.yml")

_listings = pytest.StashKey[dict[Path, "Listing"]]()
_answers = pytest.StashKey[dict[Path, "Answers"]]()
_folder = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("alertkit")
    group.addoption("--no-alertkit", action="store_true", help="do not collect the tests of alertkit projects")


def pytest_configure(config: pytest.Config) -> None:
    _root_of.cache_clear()
    _place.cache_clear()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: tell each process where the verdicts are; the folder comes to be when the first of them are written."""
    stash = node.config.stash
    folder = stash.setdefault(_folder, Path(tempfile.gettempdir()) / f"alertkit-pytest-{uuid.uuid4().hex}")
    node.workerinput["alertkit_folder"] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_folder, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)  # pytest 8 has it first
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    root = _project(path, parent)
    if root is None or path != _place(root, _TESTS, "promtool_tests") or (path / "__init__.py").exists():
        return None
    return _tests_folder(root, path, parent)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not _is_read(file_path):
        return None
    root = _project(file_path.parent, parent)
    if root is None:
        return None
    if file_path.parent == _place(root, _TESTS, "promtool_tests"):
        kind = PlainFile if file_path.name.endswith(_PLAIN) else ScenarioFile
        return kind.from_parent(parent, path=file_path, root=root)
    if file_path.parent == _place(root, _SPECS, "rules_src") and parent.session.isinitpath(file_path):
        return SpecFile.from_parent(parent, path=file_path, root=root)
    return None


def _project(folder: Path, parent: pytest.Collector) -> Path | None:
    """The project that a folder belongs to; None when there is none or the plugin is turned off."""
    return None if parent.config.getoption("--no-alertkit") else _root_of(folder)


def _is_read(path: Path) -> bool:
    return path.suffix in _YAML and not path.name.startswith(".")


@lru_cache(maxsize=4096)
def _root_of(folder: Path) -> Path | None:
    if (folder / "alertkit.yaml").is_file():
        return folder
    return None if folder == folder.parent else _root_of(folder.parent)


@lru_cache(maxsize=256)
def _place(root: Path, key: re.Pattern[str], usual: str) -> Path:
    """A folder that the project file names; what it means to be is looked at without reading YAML."""
    try:
        found = key.search((root / "alertkit.yaml").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return root / (found[1] if found else usual)


def _tests_folder(root: Path, path: Path, parent: pytest.Collector) -> pytest.Collector:
    class TestsFolder(pytest.Directory):
        """The folder of tests: a collector for each spec of the project, then what is in it, as `pytest.Dir` does."""

        def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
            specs = _place(root, _SPECS, "rules_src")
            for spec in sorted(p for p in specs.glob("*") if _is_read(p) and p.is_file()):
                yield SpecFile.from_parent(self, path=spec, root=root)
            for entry in sorted(self.path.iterdir()):
                asked = self.session.isinitpath(entry, with_parents=entry.is_dir())
                if not asked and self.ihook.pytest_ignore_collect(collection_path=entry, config=self.config):
                    continue
                if entry.is_file():
                    yield from self.ihook.pytest_collect_file(file_path=entry, parent=self)
                elif entry.is_dir():
                    found = self.ihook.pytest_collect_directory(path=entry, parent=self)
                    yield from [found] if found is not None else []

    folder: pytest.Collector = TestsFolder.from_parent(parent, path=path)
    return folder


class ProjectFile(pytest.File):
    """A file of an alertkit project at `root`."""

    def __init__(self, *, root: Path, **rest: Any) -> None:
        super().__init__(**rest)
        self.root = root

    @abstractmethod
    def entries(self, listing: Listing) -> Sequence[Entry]:
        """What the file holds, in its order."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        listing = _listing(self.session, self.root)
        trouble = listing.trouble(self.path)
        if trouble:
            raise self.CollectError(trouble)
        entries = [(entry.parts, entry) for entry in self.entries(listing)]
        yield from _nodes(self, self.root, entries)


class SpecFile(ProjectFile):
    """A spec: the generated cases of its alerts."""

    def entries(self, listing: Listing) -> Sequence[Entry]:
        return listing.spec(self.path)


class ScenarioFile(ProjectFile):
    """A file of scenarios: one item for each expectation."""

    def entries(self, listing: Listing) -> Sequence[Entry]:
        return listing.scenarios(self.path)


class PlainFile(ProjectFile):
    """A plain promtool file: one item for each test."""

    def entries(self, listing: Listing) -> Sequence[Entry]:
        from alertkit.source import Problems
        from alertkit.source.problem import draw_all

        entries = listing.plain(self.path, problems := Problems())
        if problems:
            raise self.CollectError(draw_all(problems))
        return entries


Rest = Sequence[tuple[tuple[str, ...], "Entry"]]


def _nodes(parent: pytest.Collector, root: Path, entries: Rest) -> Iterator[pytest.Item | pytest.Collector]:
    """Items for the entries of one part, collectors for those that have more, by their first part."""
    groups: dict[str, list[tuple[tuple[str, ...], Entry]]] = {}
    for parts, entry in entries:
        if len(parts) > 1:
            groups.setdefault(parts[0], []).append((parts[1:], entry))
    for parts, entry in entries:
        if len(parts) == 1:
            yield CaseItem.from_parent(parent, name=parts[0], root=root, entry=entry)
        elif (group := groups.pop(parts[0], None)) is not None:
            yield Group.from_parent(parent, name=parts[0], root=root, entries=group)


class Group(pytest.Collector):
    """A system, an alert, a severity."""

    def __init__(self, *, root: Path, entries: Rest, **rest: Any) -> None:
        super().__init__(**rest)
        self.root, self._entries = root, entries

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        yield from _nodes(self, self.root, self._entries)


class CaseFailed(Exception):  # noqa: N818
    """An expectation that did not hold, in the words of `alertkit test`."""


class CaseItem(pytest.Item):
    """One case, expectation or test."""

    def __init__(self, *, root: Path, entry: Entry, **rest: Any) -> None:
        super().__init__(**rest)
        self.root, self.entry = root, entry
        self.extra_keyword_matches.add(entry.id)

    def setup(self) -> None:
        answers = _answers_of(self)
        if self.entry.id not in answers.verdicts:
            pytest.fail(answers.trouble or "promtool gave no verdict on it", pytrace=False)

    def runtest(self) -> None:
        verdict = _answers_of(self).verdicts[self.entry.id]
        if not verdict.passed:
            raise CaseFailed("\n".join(verdict.lines))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.entry.line - 1, self.entry.id


def _listing(session: pytest.Session, root: Path) -> Listing:
    from alertkit.report.verdicts import Listing

    known = session.stash.setdefault(_listings, {})
    if root not in known:
        known[root] = Listing(root)
    return known[root]


def _answers_of(item: CaseItem) -> Answers:
    """The verdicts on all selected items of a project; the first to ask starts the batch."""
    known = item.session.stash.setdefault(_answers, {})
    if item.root not in known:
        known[item.root] = _prove(item.session, item.root)
    return known[item.root]


def _prove(session: pytest.Session, root: Path) -> Answers:
    from alertkit.report.picture import marks_for
    from alertkit.report.verdicts import shared, verdicts_on
    from alertkit.source.digest import place_digest

    listing = _listing(session, root)
    ids = {item.entry.id for item in session.items if isinstance(item, CaseItem) and item.root == root}
    marks = marks_for(getattr(sys.__stdout__, "encoding", None))

    def work() -> Answers:
        return verdicts_on(listing, ids, marks)

    given: dict[str, Any] = getattr(session.config, "workerinput", {})
    if "alertkit_folder" not in given:
        return work()
    with contextlib.suppress(OSError):
        return shared(Path(given["alertkit_folder"]), place_digest(root), work)
    return work()  # without a place for them nothing can be shared
