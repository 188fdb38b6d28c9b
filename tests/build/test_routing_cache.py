"""The routing is compiled again whenever anything that it follows from has changed, and only then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alertkit.build import compile_project
from alertkit.compile import route_tree
from alertkit.source import Problems
from alertkit.spec.project import read_project
from tests.projects import shipped


def change(path: str, old: str, new: str) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return made


def by_hand(folder: Path) -> None:
    with (folder / "build" / "alertmanager.yml").open("a") as stream:
        stream.write("# by hand\n")


def template(folder: Path) -> None:
    (folder / "alertmanager" / "templates").mkdir(exist_ok=True)
    (folder / "alertmanager" / "templates" / "own.tmpl").write_text('{{ define "own" }}{{ .Status }}{{ end }}\n')


# What is changed, and whether the routing follows from it.
CHANGES: dict[str, tuple[Callable[[Path], None], bool]] = {
    "nothing": (lambda folder: None, False),
    "a threshold": (change("rules_src/peak_trade.yaml", "above: {warning: 1s,", "above: {warning: 2s,"), False),
    "a receiver of an alert": (
        change("rules_src/peak_trade.yaml", "    window: 5m\n", "    window: 5m\n    notify: operations\n"), True,
    ),
    "a level": (change("rules_src/peak_trade.yaml", "{warning: 1s, critical: 3s}", "{critical: 3s}"), True),
    "a route": (change("alertmanager/routing.yaml", "to: trading-slack", "to: spark-slack"), True),
    "a template": (template, True),
    "severities": (change("alertkit.yaml", "specs:", "severities: [info, warning, critical, page]\nspecs:"), True),
    "the version": (change("alertkit.yaml", '"0.25"', '"0.28"'), True),
    "the build": (by_hand, True),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_the_routing_is_never_stale(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = shipped(tmp_path / "project")
    compiled(folder)
    made, follows = CHANGES[what]
    made(folder)
    drafts = []
    real = route_tree.draft_routing
    monkeypatch.setattr(route_tree, "draft_routing", lambda *given: drafts.append(given) or real(*given))
    compiled(folder)
    assert len(drafts) == follows
    outcome = files(folder)
    shutil.rmtree(folder / "build")
    compiled(folder, cache=False)
    anew = files(folder)
    assert anew.keys() == outcome.keys() and [path for path in anew if anew[path] != outcome[path]] == []


def compiled(folder: Path, cache: bool = True) -> None:
    problems = Problems()
    project = read_project(folder, problems)
    assert project is not None and compile_project(project, problems, write=True, cache=cache) is not None, problems


def files(folder: Path) -> dict[str, bytes]:
    build = folder / "build"
    return {path.relative_to(build).as_posix(): path.read_bytes() for path in build.rglob("*") if path.is_file()}
