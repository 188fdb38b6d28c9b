"""Finding promtool, amtool, prometheus and alertmanager, and knowing what each can do.

Searched in this order: the folder ALERTKIT_TOOLS, PATH, then what `alertkit tools install` put into the user's cache.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertkit.source import Problems
from alertkit.source.cachedir import cache_dir as cache_dir
from alertkit.toolchain.capabilities import CAPABILITIES, Capability, Version, capabilities_of

TOOLS = ("promtool", "amtool", "prometheus", "alertmanager")
INSTALL = "alertkit tools install"

# Names of the program, the usual one first; Debian calls the server after its package.
_NAMES = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}
# What the generated tests and rules need; the first with `keep_firing_for`.
OLDEST = {"promtool": Version(2, 42, 0)}
_VERSION = re.compile(r"\bversion[ =]v?(\d+)\.(\d+)(?:\.(\d+))?(\S*)")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that was found: `source` is `ALERTKIT_TOOLS`, `PATH` or `cache`.

    `version` is None and `trouble` says why when it does not answer `--version` as it should.
    """

    name: str
    path: Path
    source: str
    version: Version | None
    full_version: str = ""
    trouble: str = ""

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return capabilities_of(self.name, self.version) if self.version else ()

    def can(self, capability: str) -> bool:
        """Whether this version has a capability of the table in `capabilities.py`; KeyError if that has no such row."""
        if not any(c.tool == self.name and c.name == capability for c in CAPABILITIES):
            raise KeyError(f"{self.name} {capability}")
        return any(c.name == capability for c in self.capabilities)


def tools_dir() -> Path:
    """Where `install` puts tools: one folder for each package and version, the programs in its `bin`."""
    return cache_dir() / "tools"


def locate(name: str) -> tuple[Path, str] | None:
    """The path of a tool and where it was found, or None."""
    names = _NAMES.get(name, (name,))
    own = os.environ.get("ALERTKIT_TOOLS", "")
    if own:
        for word in names:
            if (path := shutil.which(word, path=own)) is not None:
                return Path(path).absolute(), "ALERTKIT_TOOLS"
    for word in names:
        if (path := shutil.which(word)) is not None:
            return Path(path).absolute(), "PATH"
    for folder in installed():
        path_ = folder / "bin" / name
        if os.access(path_, os.X_OK) and path_.is_file():
            return path_, "cache"
    return None


def installed() -> list[Path]:
    """The folders that `install` made, newest version first."""
    try:
        folders = [f for f in tools_dir().iterdir() if not f.name.startswith(".") and (f / "bin").is_dir()]
    except OSError:
        return []
    return sorted(folders, key=lambda f: ([int(n) for n in re.findall(r"\d+", f.name)], f.name), reverse=True)


def find(name: str) -> Tool | None:
    """A tool with its version; the version is asked once for each path, time of change and size, then remembered."""
    found = locate(name)
    return inspect(name, *found) if found else None


def nearest(tool: Tool, version: tuple[int, int] | None) -> Tool:
    """Another copy of a tool that has this version (major, minor), if one was installed; else the tool itself."""
    if version is None or (tool.version is not None and tuple(tool.version[:2]) == version):
        return tool
    for folder in installed():
        path = folder / "bin" / tool.name
        if path.is_file() and os.access(path, os.X_OK):
            other = inspect(tool.name, path, "cache")
            if other.version is not None and tuple(other.version[:2]) == version:
                return other
    return tool


def find_all(names: Iterable[str] = TOOLS) -> dict[str, Tool | None]:
    """`find` for each name."""
    return {name: find(name) for name in names}


def require(names: Sequence[str], problems: Problems) -> dict[str, Tool] | None:
    """All of the named tools, working; None and a problem for each that is missing (AK601), broken (AK603) or too old
    (AK607)."""
    own = os.environ.get("ALERTKIT_TOOLS", "")
    if own and not Path(own).is_dir():
        problems.add(
            "AK618", f"ALERTKIT_TOOLS is set to `{own}`, which is not a folder",
            help="set it to a folder that holds promtool and amtool, or unset it",
        )  # fmt: skip
        return None
    before = len(problems)
    tools: dict[str, Tool] = {}
    for name in names:
        tool = find(name)
        if tool is None:
            problems.add("AK601", f"{name} is not installed", help=f"run `{INSTALL}`, or put {name} on your PATH")
        elif tool.version is None:
            problems.add("AK603", f"{tool.path} does not work: {tool.trouble}", help=f"replace it, or run `{INSTALL}`")
        elif name in OLDEST and tool.version < OLDEST[name]:
            least = ".".join(map(str, OLDEST[name][:2]))
            problems.add(
                "AK607", f"{tool.path} is {name} {tool.full_version}, which is too old: {least} or newer is needed",
                help=f"run `{INSTALL}`, or set ALERTKIT_TOOLS to the folder of a newer one",
            )  # fmt: skip
        else:
            tools[name] = tool
    return tools if len(problems) == before else None


def inspect(name: str, path: Path, source: str) -> Tool:
    """The tool at `path` with the version that it says it has."""
    try:
        state = path.stat()
    except OSError as error:
        return Tool(name, path, source, None, trouble=error.strerror or str(error))
    key, stamp = str(path), [state.st_mtime_ns, state.st_size]
    known = _remembered()
    entry = known.get(key)
    if isinstance(entry, dict) and entry.get("stamp") == stamp and isinstance(entry.get("version"), str):
        version, full = parse_version(f"version {entry['version']}")
        if version:
            return Tool(name, path, source, version, full)
    from alertkit.toolchain.run import run

    problems = Problems()
    result = run([path, "--version"], problems, timeout=20)
    if result is None:
        return Tool(name, path, source, None, trouble=problems[0].message)
    version, full = parse_version(result.text)
    if version is None or result.code != 0:
        said = result.text.strip().splitlines()[:1]
        trouble = f"`--version` answered {said[0][:120]!r}" if said else f"`--version` ended with code {result.code}"
        return Tool(name, path, source, None, trouble=trouble)
    _remember({**known, key: {"stamp": stamp, "version": full}})
    return Tool(name, path, source, version, full)


def parse_version(text: str) -> tuple[Version | None, str]:
    """The version in the answer to `--version`, and its full text with suffix; (None, "") when there is none."""
    match = _VERSION.search(text)
    if match is None:
        return None, ""
    major, minor, patch, rest = match.groups()
    return Version(int(major), int(minor), int(patch or 0)), f"{major}.{minor}.{patch or 0}{rest.rstrip(',')}"


def _memory_file() -> Path:
    return cache_dir() / "versions.json"


def _remembered() -> dict[str, Any]:
    try:
        data = json.loads(_memory_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _remember(entries: dict[str, Any]) -> None:
    """Write aside and rename; a cache that cannot be written is no problem."""
    file = _memory_file()
    kept = {key: entries[key] for key in sorted(entries) if Path(key).exists()}
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".versions-", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(kept, stream, indent=1)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
