"""Where a build goes to: an environment of the project file, resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alertkit.deploy.access import session_factory
from alertkit.deploy.alertmanager import Alertmanager
from alertkit.deploy.client import SessionFactory
from alertkit.deploy.prometheus import Prometheus
from alertkit.source import Problems, Span
from alertkit.source.url import is_base_url, shown_url
from alertkit.spec.project import Environment, Project
from alertkit.spec.root import PROJECT_FILE
from alertkit.spec.validate import suggest

STATE = ".alertkit"


@dataclass(frozen=True, slots=True)
class Target:
    """One environment; what it does not mention is None or (). Paths are absolute.

    `rules_dirs` are all folders for rules, each once; `folders` the one of each of `prometheus`. The `pid_files` are
    those of `prometheus` too. `state` is the folder for lock, journal and kept builds (None: nothing is written).
    `places`: where the project file names each folder that is written to.
    """

    name: str
    prometheus: tuple[Prometheus, ...] = ()
    rules_dirs: tuple[Path, ...] = ()
    folders: tuple[Path | None, ...] = ()
    alertmanager: Alertmanager | None = None
    alertmanager_file: Path | None = None
    reload_by: str = "api"
    pid_files: tuple[Path, ...] = ()
    alertmanager_reload_by: str = "api"
    alertmanager_pid_file: Path | None = None
    keep: int = 10
    state: Path | None = None
    places: Mapping[Path, Span | None] = field(default_factory=dict)


def read_target(
    project: Project, name: str, problems: Problems, session: SessionFactory | None = None
) -> Target | None:
    """The environment `name`; None and problems (AK710, AK720, AK721) when it cannot be used.

    Relative paths are meant from the project's folder. `session` replaces what the environment's `http:` says.
    """
    environments = project.file.environments
    environment = environments.get(name)
    if environment is None:
        help = suggest(name, environments) if environments else f"add `environments:` to {PROJECT_FILE}"
        where = project.document.key(("environments",)) if project.document else None
        problems.add("AK720", f"there is no environment `{name}`", where, help)
        return None
    before = len(problems)
    _check(project, name, environment, problems)
    if len(problems) > before:
        return None

    def path(text: str) -> Path:
        return project.root / Path(text).expanduser()

    place = ("environments", name)
    urls, folders, pids = (
        _each(value) for value in (environment.prometheus, environment.rules_dir, environment.prometheus_pid_file)
    )
    own = session or session_factory(environment.http, project.root)
    servers = tuple(
        Prometheus(
            url, session=own,
            span=project.place(*place, "prometheus", *((i,) if not isinstance(environment.prometheus, str) else ())),
        )
        for i, url in enumerate(urls)
    )  # fmt: skip
    dirs = [path(text) for text in folders]
    file = path(environment.alertmanager_file) if environment.alertmanager_file else None
    homes = [*dirs, *([file.parent] if file else [])]
    state = path(environment.state_dir) if environment.state_dir else homes[0] / STATE if homes else None
    places = {folder: project.place(*place, "rules_dir", i) for i, folder in reversed([*enumerate(dirs)])}
    if file:
        places.setdefault(file.parent, project.place(*place, "alertmanager_file"))
    if state:
        places[state] = project.place(*place, "state_dir") if environment.state_dir else places[homes[0]]
    theirs = session or session_factory(environment.alertmanager_http or environment.http, project.root)
    return Target(
        name,
        servers,
        tuple(dict.fromkeys(dirs)),
        tuple((dirs[i] if len(dirs) > 1 else dirs[0]) if dirs else None for i in range(len(servers))),
        Alertmanager(environment.alertmanager, span=project.place(*place, "alertmanager"), session=theirs)
        if environment.alertmanager
        else None,
        file,
        environment.reload_by,
        tuple(path(text) for text in pids),
        environment.alertmanager_reload_by,
        path(environment.alertmanager_pid_file) if environment.alertmanager_pid_file else None,
        environment.keep,
        state if homes else None,
        places,
    )


def _each(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _check(project: Project, name: str, environment: Environment, problems: Problems) -> None:
    place = ("environments", name)
    urls = _each(environment.prometheus)
    for key, given in (("prometheus", urls), ("alertmanager", _each(environment.alertmanager))):
        for index, url in enumerate(given):
            if not is_base_url(url):
                where = project.place(*place, key, index)  # of one that stands alone: itself
                problems.add("AK710", f"`{shown_url(url)}` is not an http or https URL", where,
                             "write it like http://localhost:9090")  # fmt: skip
    values = (urls, environment.rules_dir, environment.alertmanager, environment.alertmanager_file)
    if not any(values):
        where = project.document.key(place) if project.document else None
        problems.add("AK721", f"the environment `{name}` says nothing", where,
                     "add rules_dir:, prometheus:, alertmanager_file: or alertmanager:")  # fmt: skip
    if len(_each(environment.rules_dir)) not in (0, 1, len(urls)):
        problems.add("AK721", f"the environment `{name}` has {len(_each(environment.rules_dir))} folders for"
                     f" {len(urls)} Prometheus servers", project.place(*place, "rules_dir"),
                     "name one folder that all of them read, or one for each, in the same order")  # fmt: skip
    pids = len(_each(environment.prometheus_pid_file))
    if environment.reload_by == "signal" and pids != len(urls):
        problems.add("AK721", f"the environment `{name}` reloads by signal, but has {pids} pid files for {len(urls)}"
                     " Prometheus servers", project.place(*place, "reload_by"),
                     "add prometheus_pid_file:, one for each server in the same order")  # fmt: skip
    if environment.alertmanager_reload_by == "signal" and environment.alertmanager_pid_file is None:
        problems.add("AK721", f"the environment `{name}` reloads Alertmanager by signal, but has no pid file for it",
                     project.place(*place, "alertmanager_reload_by"), "add alertmanager_pid_file:")  # fmt: skip
