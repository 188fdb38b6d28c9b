"""Tools from the Debian or Ubuntu mirror that this machine already uses, without root and without installing.

apt downloads and checks the packages; they are only unpacked, so no service is started and no script is run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from alertkit.source import Problems
from alertkit.toolchain.own_templates import TEMPLATES, give_own_templates
from alertkit.toolchain.run import Finished, run
from alertkit.toolchain.scratch import Scratch

# Packages that may hold a tool, the likelier first: promtool has a package of its own from Debian 13 on.
_PACKAGES = {
    "promtool": ("promtool", "prometheus"),
    "amtool": ("amtool", "prometheus-alertmanager"),
    "prometheus": ("prometheus",),
    "alertmanager": ("prometheus-alertmanager",),
}
_PROGRAMS = {"alertmanager": "prometheus-alertmanager"}

# Sources, keys and proxies stay the system's; lists and caches are ours, and hooks of the system must not run.
_PRIVATE = """
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::CNF;
"""
_ALWAYS = """
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
APT::Sandbox::User "{user}";
"""

Say = Callable[[str], None]


def usable() -> bool:
    """Whether this machine has apt and dpkg."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def unpack(names: Sequence[str], into: Path, scratch: Scratch, problems: Problems, say: Say) -> dict[str, str] | None:
    """Download and unpack the packages of the tools `names`: `into/<package>-<version>/{bin,share}`.

    Returns tool -> folder name; None and a problem (AK617) when one cannot be had.
    """
    apt = _Apt(scratch, problems)
    packages = apt.packages_of(names)
    if len(packages) < len(names):
        say("asking the package mirror for its lists")
        apt.update()
        packages = apt.packages_of(names)
    missing = [name for name in names if name not in packages]
    if missing:
        problems.add(
            "AK617", f"no package with {' and '.join(missing)} is to be had from this machine's mirror{apt.why()}",
            help="check the network and apt's sources, or name a mirror of the official releases: --mirror URL",
        )  # fmt: skip
        return None
    wanted = sorted(set(packages.values()))
    say(f"downloading the package{'s' if len(wanted) > 1 else ''} {' and '.join(wanted)}")
    archives = apt.download(wanted)
    if archives is None:
        return None
    folders: dict[str, Path] = {}
    for package, archive in archives.items():
        folders[package] = into / f".{package}"
        if not apt.extract(archive, folders[package]):
            return None
    return _arrange(packages, folders, into, problems)


class _Apt:
    """apt-get and apt-cache with the system's lists, or after `update` with lists of our own."""

    def __init__(self, scratch: Scratch, problems: Problems) -> None:
        self._scratch = scratch
        self._problems = problems
        self._said = ""
        self._private = False
        self._config = scratch.path / "apt.conf"
        self._write_config()

    def _write_config(self) -> None:
        user = "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "_apt"
        text = _ALWAYS.format(user=user)
        if self._private:
            folder = self._scratch.path / "apt"
            for part in ("lists/partial", "cache/archives/partial"):
                (folder / part).mkdir(parents=True, exist_ok=True)
            text += _PRIVATE.format(folder=folder)
        self._config.write_text(text, "utf-8")

    def _call(self, program: str, *words: str | Path, timeout: float = 60, cwd: Path | None = None) -> Finished | None:
        return run(
            [program, "-c", self._config, "-q", *words], self._problems,
            timeout=timeout, cwd=cwd, env={"LC_ALL": "C"}, scratch=self._scratch,
        )  # fmt: skip

    def packages_of(self, names: Sequence[str]) -> dict[str, str]:
        """Tool -> the first of its packages that apt can download now; tools without one are left out."""
        known = list(dict.fromkeys(package for name in names for package in _PACKAGES[name]))
        result = self._call("apt-cache", "policy", *known)
        sections = re.split(r"^(\S+):$", result.text, flags=re.MULTILINE)[1:] if result and result.ok else []
        # A version that only dpkg's own list has is installed, but cannot be downloaded.
        have = {
            package
            for package, body in zip(sections[::2], sections[1::2], strict=True)
            if re.search(r"^ +-?\d+ \S+:/", body, re.MULTILINE)
        }
        return {name: found[0] for name in names if (found := [p for p in _PACKAGES[name] if p in have])}

    def update(self) -> None:
        """Fetch package lists into a private folder; a source that fails does not spoil the others."""
        self._private = True
        self._write_config()
        result = self._call("apt-get", "update", timeout=180)
        if result:
            errors = [line for line in result.text.splitlines() if line.startswith(("E:", "W:", "Err:"))]
            self._said = errors[0].split(":", 1)[1].strip() if errors else ""

    def why(self) -> str:
        return f": {self._said[:200]}" if self._said else ""

    def download(self, packages: Sequence[str]) -> dict[str, Path] | None:
        """Package -> its archive; lists that are too old for the mirror are fetched anew, once."""
        folder = self._scratch.path / "debs"
        folder.mkdir(exist_ok=True)
        result = self._call("apt-get", "download", *packages, timeout=900, cwd=folder)
        if result and not result.ok and not self._private:
            self.update()
            result = self._call("apt-get", "download", *packages, timeout=900, cwd=folder)
        if result is None or not result.ok:
            if result:
                self._fail(f"download {' and '.join(packages)}", result)
            return None
        return {package: next(folder.glob(f"{package}_*.deb")) for package in packages}

    def extract(self, archive: Path, into: Path) -> bool:
        """Unpack an archive; nothing of it is run."""
        result = run(["dpkg-deb", "-x", archive, into], self._problems, timeout=120, scratch=self._scratch)
        if result and not result.ok:
            self._fail(f"unpack {archive.name}", result)
        return result is not None and result.ok

    def _fail(self, what: str, result: Finished) -> None:
        lines = [line for line in result.text.splitlines() if line.startswith("E:")] or result.text.splitlines()
        said = lines[-1].removeprefix("E:").strip()[:200] if lines else f"exit code {result.code}"
        self._problems.add("AK617", f"apt could not {what}: {said}", help="check the network and the sources of apt")


def _arrange(
    packages: dict[str, str], folders: dict[str, Path], into: Path, problems: Problems
) -> dict[str, str] | None:
    """Move what is needed of each unpacked package to `into/<package>-<version>`."""
    from alertkit.toolchain.tools import parse_version

    placed: dict[str, str] = {}
    for package, root in folders.items():
        tools = [name for name, owner in packages.items() if owner == package]
        new = into / f".{package}-new"
        (new / "bin").mkdir(parents=True)
        for name in tools:
            program = root / "usr/bin" / _PROGRAMS.get(name, name)
            if not program.is_file():
                problems.add("AK617", f"the package {package} of this machine's mirror has no {name}",
                             help="name a mirror of the official releases: --mirror URL")  # fmt: skip
                return None
            program.replace(new / "bin" / name)
        if "alertmanager" in tools:
            give_own_templates(new, root / TEMPLATES.lstrip("/"))
        result = run([new / "bin" / tools[0], "--version"], problems, timeout=20)
        version = parse_version(result.text)[1] if result else ""
        if not version:
            problems.add("AK619", f"{tools[0]} from the package {package} does not run on this machine",
                         help="name a mirror of the official releases: --mirror URL")  # fmt: skip
            return None
        # The tools' names are part of the folder's: another tool of the same package may come later.
        folder = f"{'+'.join(sorted(tools))}-{version}-{package}"
        new.rename(into / folder)
        shutil.rmtree(root, ignore_errors=True)
        placed.update(dict.fromkeys(tools, folder))
    return placed
