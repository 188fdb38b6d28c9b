"""The build folder as `deploy` needs it: the files, and the rules that they make a server have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alertkit.deploy.loaded import LoadedGroup, LoadedRule
from alertkit.source import Problems, Span
from alertkit.spec.duration import parse_duration
from alertkit.spec.project import shown_path
from alertkit.toolchain import Tool, nearest, open_scratch, require, run_many

if TYPE_CHECKING:
    from alertkit.deploy.target import Target


@dataclass(frozen=True, slots=True)
class Build:
    """A compiled build: file name -> content. `alertmanager` is None when the build has no such file."""

    folder: Path
    rules: dict[str, bytes]
    alertmanager: bytes | None
    templates: dict[str, bytes]

    def files(self) -> dict[str, bytes]:
        """All files by their paths below the build folder."""
        found = {f"rules/{name}": raw for name, raw in self.rules.items()}
        found |= {f"templates/{name}": raw for name, raw in self.templates.items()}
        return found if self.alertmanager is None else {**found, "alertmanager.yml": self.alertmanager}


def read_build(folder: Path, problems: Problems) -> Build | None:
    """Read a build folder; None and a problem (AK722, AK723) when there is none or a file cannot be read."""
    try:
        rules = {p.name: p.read_bytes() for p in sorted((folder / "rules").glob("*.yml"))}
        file = folder / "alertmanager.yml"
        alertmanager = file.read_bytes() if file.exists() else None
        templates = {p.name: p.read_bytes() for p in sorted((folder / "templates").glob("*.tmpl"))}
    except OSError as error:
        problems.add("AK723", f"{error.filename} cannot be read: {error.strerror}", help="check that you may read it")
        return None
    if not rules and alertmanager is None:
        problems.add("AK722", f"there is no build in `{shown_path(folder)}`", help="run `alertkit compile` first")
        return None
    return Build(folder, rules, alertmanager, templates)


def check(
    build: Build, problems: Problems, rules: bool = True, alertmanager: bool = True, near: Target | None = None
) -> list[Tool] | None:
    """Let promtool and amtool check the build; the tools that did, or None and problems (AK6xx, AK724).

    Those of the same version as the servers of `near`, where they are on this machine.
    """
    with_amtool = alertmanager and build.alertmanager is not None
    with_promtool = rules and bool(build.rules)
    tools = require([*["promtool"] * with_promtool, *["amtool"] * with_amtool], problems)
    if tools is None:
        return None
    if near is not None:
        if "promtool" in tools and near.prometheus:
            tools["promtool"] = nearest(tools["promtool"], _version(near.prometheus[0].version(Problems())))
        if "amtool" in tools and near.alertmanager is not None:
            status = near.alertmanager.status(Problems())
            tools["amtool"] = nearest(tools["amtool"], _version(status.version if status else None))
    before = len(problems)
    with open_scratch(problems) as scratch:
        if scratch is None:
            return None
        # What was read is what is checked and then written, whoever compiles anew meanwhile.
        copy = scratch.path / "build"
        try:
            for name, raw in build.files().items():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                (copy / name).write_bytes(raw)
        except OSError as error:
            problems.add("AK606", f"temporary files cannot be written: {error.strerror or error}",
                         help="free some space, or set TMPDIR to a larger disk")  # fmt: skip
            return None
        commands: list[list[str | Path]] = []
        if with_promtool:
            commands.append(
                [tools["promtool"].path, "check", "rules", *(copy / "rules" / name for name in build.rules)]
            )
        if with_amtool:
            commands.append([tools["amtool"].path, "check-config", copy / "alertmanager.yml"])
        results = run_many(commands, problems, scratch=scratch)
    for command, result in zip(commands, results, strict=False):
        if result is not None and not result.ok:
            said = "; ".join(_complaints(result.text)) or f"exit code {result.code}"
            said = said.replace(str(copy), shown_path(build.folder))
            problems.add("AK724", f"{Path(command[0]).name} refuses the build: {said}",
                         help="run `alertkit compile` again; nothing was copied")  # fmt: skip
    return list(tools.values()) if len(problems) == before else None


def fits_server(target: Target, build: Build, problems: Problems) -> bool:
    """Whether the language of every Prometheus of the target has all that the rules use; else problems (AK732)."""
    from alertkit import promql

    groups = expected_groups(build, problems)
    before = len(problems)
    versions: dict[tuple[int, int], str] = {}
    for server in target.prometheus if build.rules else ():
        found = _version(server.version(problems))
        if found:
            versions.setdefault(found, server.shown)
    for version, shown in versions.items():
        for group in groups or ():
            for rule in group.rules:
                try:
                    promql.parse(rule.query, version)
                except promql.PromqlError as error:
                    problems.add("AK732", f"{shown} is {version[0]}.{version[1]} and does not take {rule.name} of"
                                 f" {group.file}: {error}", help="write the expression for that version")  # fmt: skip
    return len(problems) == before and groups is not None


def _version(text: str | None) -> tuple[int, int] | None:
    found = re.match(r"v?(\d+)\.(\d+)", text or "")
    return (int(found[1]), int(found[2])) if found else None


def _complaints(text: str) -> list[str]:
    """The lines of promtool or amtool that say what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    quiet = ("Checking ", "SUCCESS", "Found:", "FAILED", "- ")
    return [line.removeprefix("FAILED:").strip() for line in lines if not line.startswith(quiet)][:5]


def expected_groups(build: Build, problems: Problems) -> tuple[LoadedGroup, ...] | None:
    """The groups that a server must have when it has loaded the build's rules; `file` is the file's name.

    `query` is as written: servers print it in their own way. Intervals that a group does not name are 0.
    """
    groups: list[LoadedGroup] = []
    before = len(problems)
    for name, raw in build.rules.items():
        try:
            groups += [_group(name, group) for group in _load(raw).get("groups") or []]
        except _UnusableError as error:
            path = shown_path(build.folder / "rules" / name)
            problems.add(
                "AK723", f"{path} is not a rules file: {error}", Span(path, 1, 1), "run `alertkit compile` again"
            )
    return tuple(groups) if len(problems) == before else None


class _UnusableError(Exception):
    pass


def _load(raw: bytes) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _UnusableError(str(error).splitlines()[0]) from None
    if not isinstance(data, dict):
        raise _UnusableError("it is no mapping")
    return data


def _group(file: str, group: Any) -> LoadedGroup:
    try:
        common = _texts(group.get("labels"))
        rules = tuple(_rule(rule, common) for rule in group["rules"] or [])
        return LoadedGroup(file, str(group["name"]), _duration(group.get("interval")), rules)
    except (KeyError, TypeError, AttributeError) as error:
        raise _UnusableError(f"a group lacks {error}") from None


def _rule(rule: Any, common: dict[str, str]) -> LoadedRule:
    alert = "alert" in rule
    return LoadedRule(
        "alerting" if alert else "recording",
        str(rule["alert"] if alert else rule["record"]),
        str(rule["expr"]),
        _duration(rule.get("for")),
        _duration(rule.get("keep_firing_for")),
        {**common, **_texts(rule.get("labels"))},
        _texts(rule.get("annotations")),
    )


def _texts(mapping: Any) -> dict[str, str]:
    return {str(key): "" if value is None else str(value) for key, value in (mapping or {}).items()}


def _duration(value: Any) -> int:
    milliseconds = parse_duration(str(value)) if value is not None else 0
    if milliseconds is None:
        raise _UnusableError(f"`{value}` is not a duration")
    return milliseconds
