"""Where a build goes to: an environment of the project file, resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alertkit.deploy.client import Alertmanager, Prometheus, SessionFactory
from alertkit.source import Problems
from alertkit.source.url import is_base_url, shown_url
from alertkit.spec.project import Project
from alertkit.spec.root import PROJECT_FILE
from alertkit.spec.validate import suggest


@dataclass(frozen=True, slots=True)
class Target:
    """One environment; what it does not mention is None. Paths are absolute."""

    name: str
    prometheus: Prometheus | None
    rules_dir: Path | None
    alertmanager: Alertmanager | None
    alertmanager_file: Path | None


def read_target(
    project: Project, name: str, problems: Problems, session: SessionFactory | None = None
) -> Target | None:
    """The environment `name`; None and problems (AK710, AK720, AK721) when it cannot be used.

    Relative paths are meant from the project's folder.
    """
    environments = project.file.environments
    environment = environments.get(name)
    if environment is None:
        help = suggest(name, environments) if environments else f"add `environments:` to {PROJECT_FILE}"
        where = project.document.key(("environments",)) if project.document else None
        problems.add("AK720", f"there is no environment `{name}`", where, help)
        return None
    place = ("environments", name)
    before = len(problems)
    for key in ("prometheus", "alertmanager"):
        url = getattr(environment, key)
        if url is not None and not is_base_url(url):
            problems.add("AK710", f"`{shown_url(url)}` is not an http or https URL", project.place(*place, key),
                         "write it like http://localhost:9090")  # fmt: skip
    values = (environment.prometheus, environment.rules_dir, environment.alertmanager, environment.alertmanager_file)
    if not any(values):
        where = project.document.key(place) if project.document else None
        problems.add("AK721", f"the environment `{name}` says nothing", where,
                     "add rules_dir:, prometheus:, alertmanager_file: or alertmanager:")  # fmt: skip
    if len(problems) > before:
        return None

    def path(text: str | None) -> Path | None:
        return project.root / Path(text).expanduser() if text else None

    return Target(
        name,
        Prometheus(environment.prometheus, span=project.place(*place, "prometheus"), session=session)
        if environment.prometheus
        else None,
        path(environment.rules_dir),
        Alertmanager(environment.alertmanager, span=project.place(*place, "alertmanager"), session=session)
        if environment.alertmanager
        else None,
        path(environment.alertmanager_file),
    )
