"""Putting a build into running servers: check, write, reload, verify; on any failure the old state comes back.

Each step is a function of its own that tells what it did as a `Step`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alertkit.deploy.build import Build, check, expected_groups, read_build
from alertkit.deploy.client import Alertmanager, Prometheus, SessionFactory
from alertkit.deploy.files import Change, plan_folder, restore, write
from alertkit.deploy.loaded import LoadedGroup
from alertkit.deploy.target import Target, read_target
from alertkit.deploy.verify import SameQuery, differences
from alertkit.source import Problem, Problems
from alertkit.spec.project import Project, shown_path
from alertkit.toolchain import terminated_means_exit

RULES_MANIFEST = ".alertkit-rules.yml"
ALERTMANAGER_MANIFEST = ".alertkit-alertmanager.yml"
PATIENCE = 10.0  # seconds that a server has to show what it said it loaded
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done: `action` is check, write, reload, verify, skip or restore; `text` says it in words."""

    action: str
    target: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


OnStep = Callable[[Step], None]


def reload(
    project: Project,
    environment: str,
    problems: Problems,
    *,
    build: Path | None = None,
    on_step: OnStep = lambda step: None,
    session: SessionFactory | None = None,
    same_query: SameQuery | None = None,
    patience: float = PATIENCE,
) -> bool:
    """Bring the build folder (the project's by default) into the servers of an environment.

    True when all that the environment names is loaded and verified; else False, problems that say why, and files and
    servers as they were before.
    """
    target = read_target(project, environment, problems, session)
    built = read_build(build or project.build, problems)
    if target is None or built is None:
        return False
    for step in skipped(target, built):
        on_step(step)
    wanted = expected_groups(built, problems)
    tools = check(
        built, problems, rules=bool(target.rules_dir or target.prometheus),
        alertmanager=bool(target.alertmanager_file or target.alertmanager),
    )  # fmt: skip
    if wanted is None or tools is None:
        return False
    if tools:
        names = " and ".join(f"{tool.name} {tool.full_version}" for tool in tools)
        on_step(Step("check", "build", f"build: accepted by {names}"))
    if not reachable(target, built, problems):
        return False
    changes = plan_files(target, built, problems)
    if changes is None:
        return False
    with terminated_means_exit():
        if not write(changes, problems):
            return False
        try:
            for step in written(target, built, changes):
                on_step(step)
            done = activate(target, built, wanted, changes, problems, on_step, same_query, patience)
        except BaseException:
            put_back(target, built, changes, problems, on_step)
            raise
        if not done:
            put_back(target, built, changes, problems, on_step)
        return done


def skipped(target: Target, build: Build) -> Iterator[Step]:
    """What will not be done, and why."""
    if not build.rules:
        yield Step("skip", "rules", "rules: skipped, the build has none")
    elif target.rules_dir is None:
        yield Step("skip", "rules", f"rules: not copied, {target.name} has no rules_dir")
    if build.rules and target.prometheus is None:
        yield Step("skip", "prometheus", f"prometheus: not reloaded, {target.name} has no prometheus URL")
    if build.alertmanager is None:
        yield Step("skip", "alertmanager", "alertmanager: skipped, the build has no alertmanager.yml")
        return
    if target.alertmanager_file is None:
        yield Step("skip", "alertmanager", f"alertmanager.yml: not copied, {target.name} has no alertmanager_file")
    if target.alertmanager is None:
        yield Step("skip", "alertmanager", f"alertmanager: not reloaded, {target.name} has no alertmanager URL")


def reachable(target: Target, build: Build, problems: Problems) -> bool:
    """Whether both servers answer and can be told to reload; asked before anything is written."""
    before = len(problems)
    if target.prometheus is not None and build.rules:
        flags = target.prometheus.flags(problems)
        if flags is not None and flags.get("web.enable-lifecycle") == "false":
            problems.append(_lifecycle_off(target.prometheus))
    if target.alertmanager is not None and build.alertmanager is not None:
        target.alertmanager.status(problems)
    return len(problems) == before


def plan_files(target: Target, build: Build, problems: Problems) -> list[Change] | None:
    """All files that must change; none yet does."""
    changes: list[Change] = []
    before = len(problems)
    if target.rules_dir is not None and build.rules:
        changes += plan_folder(target.rules_dir, build.rules, RULES_MANIFEST, problems) or []
    file = target.alertmanager_file
    if file is not None and build.alertmanager is not None:
        wanted = {file.name: build.alertmanager, **{f"templates/{n}": raw for n, raw in build.templates.items()}}
        changes += plan_folder(file.parent, wanted, ALERTMANAGER_MANIFEST, problems, named=file.name) or []
    return changes if len(problems) == before else None


def written(target: Target, build: Build, changes: Sequence[Change]) -> Iterator[Step]:
    """What `write` did."""
    if target.rules_dir is not None and build.rules:
        ours = [c for c in changes if c.path.parent == target.rules_dir.resolve() and c.path.name != RULES_MANIFEST]
        removed = [c.path.name for c in ours if c.new is None]
        count = len(build.rules)
        text = f"rules: {count} file{'s' if count != 1 else ''} -> {shown_path(target.rules_dir)}"
        text += _counted(ours)
        changed = [c.path.name for c in ours if c.new is not None]
        yield Step("write", "rules", text, {"files": sorted(build.rules), "changed": changed, "removed": removed})
    file = target.alertmanager_file
    if file is not None and build.alertmanager is not None:
        ours = [c for c in changes if c.path == file.resolve()]
        templates = f" with {len(build.templates)} templates" if build.templates else ""
        text = f"alertmanager.yml{templates} -> {shown_path(file)}"
        backups = [c.path for c in changes if c.path.name.startswith(file.name) and c.old is None and c not in ours]
        if not ours:
            text += " (unchanged)"
        if backups:
            text += f", the file of before is kept as {backups[0].name}"
        yield Step("write", "alertmanager", text, {"changed": bool(ours)})


def _counted(changes: Sequence[Change]) -> str:
    counts = {
        "new": sum(c.old is None for c in changes),
        "changed": sum(c.old is not None and c.new is not None for c in changes),
        "removed": sum(c.new is None for c in changes),
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f" ({said or 'unchanged'})"


def activate(
    target: Target,
    build: Build,
    wanted: tuple[LoadedGroup, ...],
    changes: Sequence[Change],
    problems: Problems,
    on_step: OnStep,
    same_query: SameQuery | None = None,
    patience: float = PATIENCE,
) -> bool:
    """Reload both servers and verify what they have loaded; False at the first one that fails."""
    prometheus, alertmanager = target.prometheus, target.alertmanager
    if prometheus is not None and build.rules:
        removed = [c.path.name for c in changes if c.new is None]
        if not prometheus.reload(problems):
            return False
        if not verify_rules(prometheus, wanted, problems, target.rules_dir, removed, same_query, patience):
            return False
        count = sum(len(group.rules) for group in wanted)
        text = f"{count} rule{_s(count)} in {len(wanted)} group{_s(len(wanted))} loaded and verified"
        on_step(Step("verify", "prometheus", f"prometheus {prometheus.shown} reloaded, {text}",
                     {"url": prometheus.shown, "rules": count, "groups": len(wanted)}))  # fmt: skip
    if alertmanager is not None and build.alertmanager is not None:
        if not alertmanager.reload(problems):
            return False
        if not verify_alertmanager(alertmanager, build.alertmanager, target.alertmanager_file, problems, patience):
            return False
        on_step(Step("verify", "alertmanager", f"alertmanager {alertmanager.shown} reloaded, configuration verified",
                     {"url": alertmanager.shown}))  # fmt: skip
    return True


def verify_rules(
    prometheus: Prometheus,
    wanted: Sequence[LoadedGroup],
    problems: Problems,
    rules_dir: Path | None = None,
    removed: Sequence[str] = (),
    same_query: SameQuery | None = None,
    patience: float = PATIENCE,
) -> bool:
    """Poll until exactly the wanted rules are loaded; False and a problem for each difference (AK727) when not."""
    found: list[str] = []
    for _ in _tries(patience):
        loaded = prometheus.rules(problems)
        if loaded is None:
            return False
        found = differences(wanted, loaded, rules_dir=rules_dir, removed=removed, same_query=same_query)
        if not found:
            return True
    where = f" {shown_path(rules_dir)}" if rules_dir else ""
    help = f"does `rule_files:` of the server's prometheus.yml cover{where or ' the folder'}, as the server sees it?"
    for text in found[:_MOST_SHOWN]:
        problems.append(_at(prometheus, "AK727", f"{prometheus.shown} has other rules than the build: {text}", help))
    if len(found) > _MOST_SHOWN:
        rest = f"{prometheus.shown} has {len(found) - _MOST_SHOWN} more differences"
        problems.append(_at(prometheus, "AK727", rest, help))
    return False


def verify_alertmanager(
    alertmanager: Alertmanager, content: bytes, file: Path | None, problems: Problems, patience: float = PATIENCE
) -> bool:
    """Poll until Alertmanager has loaded a file with this content; False and a problem (AK728) when not."""
    wanted = float(int.from_bytes(hashlib.md5(content, usedforsecurity=False).digest()[:6], "little"))
    for _ in _tries(patience):
        found = alertmanager.config_hash(problems)
        if found is None:
            return False
        if found == wanted:
            return True
    name = shown_path(file) if file else "the build's alertmanager.yml"
    problems.append(_at(alertmanager, "AK728", f"{alertmanager.shown} has not loaded {name}",
                        "is it the file that Alertmanager was started with (--config.file)?"))  # fmt: skip
    return False


def put_back(target: Target, build: Build, changes: Sequence[Change], problems: Problems, on_step: OnStep) -> bool:
    """Restore the files of before and let the servers read them; says so, or adds a problem (AK729)."""
    said = Problems()
    if changes and not restore(changes, said):
        problems.add("AK729", f"the files of before could not be put back: {said[0].message}", help=said[0].help)
        return False
    servers: list[Prometheus | Alertmanager] = []
    if target.prometheus is not None and build.rules:
        servers.append(target.prometheus)
    if target.alertmanager is not None and build.alertmanager is not None:
        servers.append(target.alertmanager)
    good = True
    for server in servers:
        if changes and not server.reload(said := Problems()):
            good = False
            problems.append(_at(server, "AK729", f"the old files are back, but not reloaded: {said[0].message}",
                                "see the server's log: something else in its configuration may be wrong"))  # fmt: skip
    if changes and good:
        reloaded = f", {' and '.join(server.shown for server in servers)} reloaded" if servers else ""
        on_step(Step("restore", "files", f"restored: the files of before are back{reloaded}"))
    return good


def _tries(patience: float) -> Iterator[None]:
    """Yields at once, then ever more slowly for `patience` seconds."""
    end = time.monotonic() + patience
    pause = 0.02
    while True:
        yield
        if time.monotonic() >= end:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def _lifecycle_off(server: Prometheus) -> Problem:
    return _at(server, "AK708", f"{server.shown} does not allow reloading: its lifecycle API is not enabled",
               "start Prometheus with --web.enable-lifecycle")  # fmt: skip


def _at(server: Prometheus | Alertmanager, code: str, message: str, help: str) -> Problem:
    return Problem(code, message, server.span, help)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
