"""The project file `alertkit.yaml`: where things are, and the environments they go to."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from alertkit.source import Document, Problems, Span, load
from alertkit.source.problem import plain_lines
from alertkit.spec.duration import Interval
from alertkit.spec.root import PROJECT_FILE, find_root, has_project_file, is_utf8
from alertkit.spec.root import shown_path as shown_path
from alertkit.spec.salvage import read
from alertkit.spec.shown import brief
from alertkit.spec.validate import Model, field_names, nearest
from alertkit.spec.version import OLDEST, WANTED, parse_version


def _version(value: Any) -> tuple[int, int]:
    found = parse_version(value) if isinstance(value, str) else None
    if found is None:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        help = 'put it in quotes, like "0.28": without them 0.30 is the number 0.3'
        raise PydanticCustomError(
            "AK203", "expected {wanted}, found {shown}",
            {
                "shown": f"the number {value}" if number else brief(value), "wanted": WANTED,
                "help": help if number else 'write major and minor in quotes, like "0.28"',
            },
        )  # fmt: skip
    return found


class Access(Model):
    """How to speak to servers. Secrets are files only, read at each request: what they hold is never shown or kept.

    `insecure_skip_verify` gives up the check of the server's certificate; it is made by default.
    """

    username: str | None = None
    password_file: str | None = None
    bearer_token_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _whole(self) -> "Access":
        """What would be left out of the request without a word."""
        for key, other in (("username", "password_file"), ("password_file", "username"), ("key_file", "cert_file")):
            if getattr(self, key) is not None and getattr(self, other) is None:
                raise PydanticCustomError(
                    "AK202", "the key `{other}` is missing beside `{key}`",
                    {"key": key, "other": other, "help": f"add `{other}:`", "path": (key,), "at": "key"},
                )  # fmt: skip
        if self.username is not None and self.bearer_token_file is not None:
            raise PydanticCustomError(
                "AK208", "`username` has no effect beside `bearer_token_file`",
                {"help": "keep one of the two", "path": ("username",), "at": "key"},
            )  # fmt: skip
        return self


class Environment(Model):
    """One place that rules are put into. URLs are base URLs; folders and files are paths on this machine.

    prometheus      one URL or a list (an HA pair); all of them get the same rules, all or none
    rules_dir       one folder that all of them read, or a list: one folder for each
    reload_by       how a Prometheus takes new rules: `api` (POST /-/reload), `signal` (SIGHUP to the process whose
                    number is in prometheus_pid_file, one or a list) or `watch` (it sees changed files itself)
    alertmanager_reload_by  the same for Alertmanager
    http            credentials and certificates for all servers; `alertmanager_http` for Alertmanager if it differs
    keep            so many builds are kept for `alertkit rollback`
    state_dir       where the lock, the journal and the kept builds are; `.alertkit` in the first folder by default
    """

    prometheus: str | tuple[str, ...] | None = None
    rules_dir: str | tuple[str, ...] | None = None
    alertmanager: str | None = None
    alertmanager_file: str | None = None
    reload_by: Literal["api", "signal", "watch"] = "api"
    prometheus_pid_file: str | tuple[str, ...] | None = None
    alertmanager_reload_by: Literal["api", "signal"] = "api"
    alertmanager_pid_file: str | None = None
    http: Access | None = None
    alertmanager_http: Access | None = None
    keep: int = Field(default=10, ge=1, le=1000)
    state_dir: str | None = None


def _severities(value: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((index for index, name in enumerate(value) if name in value[:index]), None)
    if twice is not None:
        raise PydanticCustomError(
            "AK205", "`{name}` stands here twice",
            {"name": value[twice], "path": (twice,), "help": "name each once, from the mildest to the gravest"},
        )  # fmt: skip
    return value


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
    scrape_interval: Interval = 15_000
    evaluation_interval: Interval = 15_000
    severities: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_severities)] = (
        "info", "warning", "critical",
    )  # fmt: skip
    environments: dict[str, Environment] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """A project on disk: `root` is the folder that holds `alertkit.yaml` (or would).

    `doubts` are keys of the file of which it is not known what they say, because there are mistakes; their defaults
    stand for them. Such a project can only be checked.
    """

    root: Path
    file: ProjectFile
    document: Document | None = None
    doubts: frozenset[str] = frozenset()

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


def read_project(start: Path, problems: Problems, partly: bool = False) -> Project | None:
    """Read the project that `start` belongs to; on mistakes add problems and return None.

    With `partly`, a project whose file has mistakes is returned too, so that the rest of it can be checked.
    """
    root = find_root(start)
    path = root / PROJECT_FILE
    if not has_project_file(root):
        return Project(root, ProjectFile())
    text = read_text(path, problems)
    if text is None:
        return None
    if all(line.lstrip().startswith("#") or not line.strip() for line in text.splitlines()):
        return Project(root, ProjectFile())  # every key is optional, so a file of none is as good as no file
    document = load(text, shown_path(path), problems, partly)
    if document is None:
        return None
    data = {} if document.data is None else document.data
    file, cuts, doubts = read(ProjectFile, document, (), data, problems)
    if file is None or (not partly and cuts | doubts):
        return None
    return Project(root, file, document, _likely(doubts, data, root))


def _likely(doubts: frozenset[str], data: dict[str, Any], root: Path) -> frozenset[str]:
    """The doubtful keys without those that an unknown one cannot be meant to be, as its value is none of theirs."""
    unknown = {key: value for key, value in data.items() if key not in field_names(ProjectFile)}

    def fits(key: str, value: Any) -> bool:
        if key in ("specs", "tests", "alertmanager") and not (root / str(value)).is_dir():
            return False
        try:
            ProjectFile.model_validate({key: value})
        except ValidationError:
            return False
        return True

    return frozenset(
        key for key in doubts if key in data or any(nearest(k, [key]) or fits(key, v) for k, v in unknown.items())
    )


def load_file(path: Path, problems: Problems, partly: bool = False) -> Document | None:
    """Read and parse one YAML file; what goes wrong with the file itself is a problem too. `partly` as in `load`."""
    text = read_text(path, problems)
    return None if text is None else load(text, shown_path(path), problems, partly)


def read_text(path: Path, problems: Problems) -> str | None:
    """The UTF-8 text of a file; a file that cannot be read or decoded is a problem."""
    if not is_utf8(path.name):
        problems.add(
            "AK110", "the file cannot be read: its name is not UTF-8", Span(shown_path(path), 1, 1), "rename it"
        )
        return None
    try:
        # A pipe would be waited for.
        if not (path.is_file() or path.is_dir()) and path.exists():
            raise OSError("not a regular file")
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problems.add(
            "AK110", f"the file cannot be read: {reason}", Span(shown_path(path), 1, 1),
            "check that it is a file, that it exists and that you may read it",
        )  # fmt: skip
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = plain_lines(raw[: error.start].decode("utf-8"))
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        written = "utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "latin1"
        problems.add(
            "AK111", f"the file is not UTF-8: byte 0x{raw[error.start]:02x}", Span(shown_path(path), line, column),
            f"save it as UTF-8 in your editor, or run `iconv -f {written} -t utf-8` on it",
        )  # fmt: skip
        return None
