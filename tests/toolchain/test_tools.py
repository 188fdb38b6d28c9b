"""Finding tools, their versions and what they can do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alertkit.source import Problems
from alertkit.toolchain import TOOLS, Version, cache_dir, find, offer_install, require
from alertkit.toolchain.tools import parse_version
from tests.servers import binaries

ANSWERS = {
    "promtool, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5+deb12u1)\n": (2, 42, 0),
    "prometheus, version 2.53.3+ds1 (branch: debian/sid, revision: x)\n": (2, 53, 3),
    "amtool, version 0.25.0 (branch: debian/sid, revision: 0.25.0-1+b4)\n": (0, 25, 0),
    "alertmanager, version 0.33.1 (branch: HEAD)": (0, 33, 1),
    "promtool, version 3.0.0-rc.1 (branch: HEAD)": (3, 0, 0),
    "promtool, version  (branch: , revision: unknown)": None,
    "": None,
}


@pytest.fixture(autouse=True)
def empty_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No tool anywhere, an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path") + ":/usr/bin:/bin")
    monkeypatch.delenv("ALERTKIT_TOOLS", raising=False)
    monkeypatch.setattr("shutil.which", only_here(tmp_path))
    for name in ("path", "own"):
        (tmp_path / name).mkdir()
    return tmp_path


def only_here(folder: Path) -> object:
    import shutil

    which = shutil.which

    def here(name: str, path: str | None = None) -> str | None:
        return which(name, path=path or str(folder / "path"))

    return here


def fake(folder: Path, name: str, version: str, counter: Path | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    count = f"echo x >> {counter}\n" if counter else ""
    path.write_text(f"#!/bin/sh\n{count}echo '{name}, version {version} (branch: x)'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_to_version(text: str) -> None:
    assert parse_version(text)[0] == ANSWERS[text]


@pytest.mark.parametrize("path", [p for name in TOOLS for p in binaries(name)], ids=str)
def test_real_tools(path: Path, empty_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = path.name.removeprefix("prometheus-")
    monkeypatch.setenv("ALERTKIT_TOOLS", str(path.parent))
    tool = find(name)
    assert tool is not None and tool.version is not None
    assert (tool.path, tool.source) == (path, "ALERTKIT_TOOLS")
    if name == "promtool":
        assert tool.can("junit") == (tool.version >= (2, 55))
        assert tool.can("fuzzy-compare") == (tool.version >= (3, 5))
    if name == "amtool":
        assert tool.can("utf8-labels") == (tool.version >= (0, 28))


def test_order_of_places(empty_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("alertmanager") is None
    cache = cache_dir() / "tools"
    fake(cache / "alertmanager-0.9.0-release" / "bin", "alertmanager", "0.9.0")
    fake(cache / "alertmanager-0.33.1-release" / "bin", "alertmanager", "0.33.1")
    fake(cache / ".new" / "bin", "alertmanager", "9.9.9")
    assert seen("alertmanager") == ("cache", (0, 33, 1))
    fake(empty_world / "path", "prometheus-alertmanager", "0.25.0")
    assert seen("alertmanager") == ("PATH", (0, 25, 0))
    fake(empty_world / "own", "alertmanager", "0.1.2")
    monkeypatch.setenv("ALERTKIT_TOOLS", str(empty_world / "own"))
    assert seen("alertmanager") == ("ALERTKIT_TOOLS", (0, 1, 2))


def seen(name: str) -> tuple[str, Version | None]:
    tool = find(name)
    assert tool is not None
    return tool.source, tool.version


def test_the_version_is_asked_once(empty_world: Path) -> None:
    counter = empty_world / "count"
    path = fake(empty_world / "path", "promtool", "2.42.0", counter)
    for _ in range(3):
        assert seen("promtool")[1] == (2, 42, 0)
    assert counter.read_text() == "x\n"
    fake(empty_world / "path", "promtool", "2.53.0", counter)
    os.utime(path, (1, 1))
    assert seen("promtool")[1] == (2, 53, 0)
    memory = cache_dir() / "versions.json"
    for damaged in ("", "[]", '{"x": 1}', json.dumps({str(path): {"stamp": 3}}), json.dumps({str(path): 7})):
        memory.write_text(damaged)
        assert seen("promtool")[1] == (2, 53, 0)


def test_an_unwritable_cache_is_no_problem(empty_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_world / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(empty_world / "file"))
    fake(empty_world / "path", "promtool", "2.42.0")
    assert seen("promtool")[1] == (2, 42, 0)


def test_missing_and_broken(empty_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_world / "path" / "amtool").write_text("#!/bin/sh\necho oops\nexit 1\n")
    (empty_world / "path" / "amtool").chmod(0o755)
    assert require(["promtool", "amtool"], problems := Problems()) is None
    assert [p.code for p in problems] == ["AK601", "AK603"]
    assert "alertkit tools install" in problems[0].help
    assert "oops" in problems[1].message
    monkeypatch.setenv("ALERTKIT_TOOLS", str(empty_world / "nowhere"))
    assert require(["promtool"], problems := Problems()) is None
    assert [p.code for p in problems] == ["AK618"]


def test_an_offer_is_made_only_to_people(empty_world: Path) -> None:
    assert offer_install(["promtool"], problems := Problems()) is None
    assert [p.code for p in problems] == ["AK601"]
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    assert offer_install(["promtool", "amtool"], problems := Problems(), ask=no) is None
    assert asked[0].startswith("promtool and amtool not found.")
    assert [p.code for p in problems] == ["AK601", "AK601"]
