"""The project file `alertkit.yaml`: where things are, and the environments they go to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from alertkit.source import Document, Problems, Span, load
from alertkit.source.problem import plain_lines
from alertkit.spec.duration import Duration
from alertkit.spec.root import PROJECT_FILE, find_root
from alertkit.spec.root import shown_path as shown_path
from alertkit.spec.shown import brief
from alertkit.spec.validate import Model, validate
from alertkit.spec.version import OLDEST, WANTED, parse_version


def _version(value: Any) -> tuple[int, int]:
    found = parse_version(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError(
            "AK203", "expected {wanted}, found {shown}",
            {"shown": brief(value), "wanted": WANTED, "help": 'write major and minor in quotes, like "0.28"'},
        )  # fmt: skip
    return found


class Environment(Model):
    """One place that rules are put into. URLs are base URLs; folders and files are paths on this machine."""

    prometheus: str | None = None
    rules_dir: str | None = None
    alertmanager: str | None = None
    alertmanager_file: str | None = None


class ProjectFile(Model):
    """The keys of `alertkit.yaml`, every one optional. `severities` run from the mildest to the gravest.

    `alertmanager_version` is the oldest Alertmanager that must load the routing. It stands here, and is not taken from
    the machine, so that all machines compile the same bytes.
    """

    specs: str = "rules_src"
    tests: str = "promtool_tests"
    alertmanager: str = "alertmanager"
    build: str = "build"
    alertmanager_version: Annotated[tuple[int, int], BeforeValidator(_version)] = OLDEST
    scrape_interval: Duration = 15_000
    evaluation_interval: Duration = 15_000
    severities: tuple[str, ...] = ("info", "warning", "critical")
    environments: dict[str, Environment] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """A project on disk: `root` is the folder that holds `alertkit.yaml` (or would)."""

    root: Path
    file: ProjectFile
    document: Document | None = None

    @property
    def specs(self) -> Path:
        return self.root / self.file.specs

    @property
    def tests(self) -> Path:
        return self.root / self.file.tests

    @property
    def alertmanager(self) -> Path:
        return self.root / self.file.alertmanager

    @property
    def build(self) -> Path:
        return self.root / self.file.build

    def place(self, *path: str | int) -> Span | None:
        """Where a key of the project file stands; None when there is no project file."""
        return self.document.value(path) if self.document else None


def read_project(start: Path, problems: Problems) -> Project | None:
    """Read the project that `start` belongs to; on mistakes add problems and return None."""
    root = find_root(start)
    path = root / PROJECT_FILE
    if not path.is_file():
        return Project(root, ProjectFile())
    document = load_file(path, problems)
    if document is None:
        return None
    data = {} if document.data is None else document.data
    file = validate(ProjectFile, document, (), data, problems)
    return Project(root, file, document) if file else None


def load_file(path: Path, problems: Problems) -> Document | None:
    """Read and parse one YAML file; what goes wrong with the file itself is a problem too."""
    text = read_text(path, problems)
    return None if text is None else load(text, shown_path(path), problems)


def read_text(path: Path, problems: Problems) -> str | None:
    """The UTF-8 text of a file; a file that cannot be read or decoded is a problem."""
    shown = shown_path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problems.add(
            "AK110", f"the file cannot be read: {reason}", Span(shown, 1, 1),
            "check that it is a file, that it exists and that you may read it",
        )  # fmt: skip
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = plain_lines(raw[: error.start].decode("utf-8"))
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        problems.add(
            "AK111", f"the file is not UTF-8: byte 0x{raw[error.start]:02x}", Span(shown, line, column),
            "save it as UTF-8 in your editor, or run `iconv -f latin1 -t utf-8` on it",
        )  # fmt: skip
        return None
