"""The tests of an alert that has not changed are cut from the build, and are what they would be if derived again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alertkit.cli import main
from alertkit.compile.claim import derive
from alertkit.compile.levels import Level
from alertkit.compile.ruleset import System
from alertkit.kinds import Comparison, Question
from alertkit.kinds.stimulus import Drive
from alertkit.prove.derived import cases
from alertkit.prove.derived.content import contents_of
from alertkit.spec.quantity import NUMBER
from alertkit.spec.selector import Selector
from tests.projects import shipped, small, systems_of

ALERTS = {
    "Hot": "{kind: threshold, metric: heat_celsius, by: [room], above: {warning: 30, critical: 40}, for: 2m}",
    "Left": "{kind: threshold, metric: open, for_each: {room: [hall, shed]}, by: [room], equals: 0, missing: alert}",
    "Budget": "{kind: burn_rate, objective: 99%, ratio: {bad: errors_total, total: requests_total}}",
    "Spending": "{kind: burn_rate, objective: 99%, ratio: {bad: failures_total, total: calls_total}}",
    "Cold": "{kind: threshold, metric: frost_celsius, below: 3, for: 10m, unless: [Hot]}",
    "Quiet": "{kind: stale, metric: last_words, above: 10m}",
    "Piled": "{kind: pile, queue: in, above: 10, for: 5m}",
}
OWN = """\
description: Messages wait in a queue
parameters: {queue: {type: text}}
unit: number
signal: max by (<< by >>) (messages{queue="<< queue >>"})
stimulus: {'messages{queue="<< queue >>"}': << value >>}
"""
# What was changed by hand, and the alerts whose tests are derived anew for it. Those of kinds of users always are.
CHANGES: dict[str, tuple[Callable[[dict[str, str]], None], set[str]]] = {
    "nothing": (lambda alerts: None, set()),
    "a threshold": (lambda alerts: put(alerts, "Hot", "40", "45"), {"Hot"}),
    "an annotation": (lambda alerts: put(alerts, "Cold", "for: 10m", "for: 10m, summary: Brr"), {"Cold"}),
    "what explains it away": (lambda alerts: put(alerts, "Cold", ", unless: [Hot]", ""), {"Cold"}),
    "a copy": (lambda alerts: put(alerts, "Left", "[hall, shed]", "[hall, shed, loft]"), {"Left"}),
    "its companion": (lambda alerts: put(alerts, "Left", ", missing: alert", ""), {"Left"}),
    "what a record reads": (lambda alerts: put(alerts, "Budget", "errors_total", "faults_total"), {"Budget"}),
    "the order": (lambda alerts: alerts.update({"Hot": alerts.pop("Hot")}), set()),
    "an alert that is new": (lambda alerts: alerts.update({"Dry": alerts["Cold"].replace("frost", "dew")}), {"Dry"}),
    "an alert that is gone": (lambda alerts: alerts.pop("Budget") and None, set()),
}


def put(alerts: dict[str, str], name: str, old: str, new: str) -> None:
    assert old in alerts[name]
    alerts[name] = alerts[name].replace(old, new)


def write(folder: Path, alerts: dict[str, str], above: str = "") -> None:
    small(folder, *(f"{name}: {text}" for name, text in alerts.items()))
    spec = folder / "rules_src" / "demo.yaml"
    spec.write_text(above + spec.read_text(encoding="utf-8"), encoding="utf-8")
    kinds = folder / "rules_src" / "kinds"
    kinds.mkdir(exist_ok=True)
    (kinds / "pile.yaml").write_text(OWN, encoding="utf-8")


@pytest.fixture
def derived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """A compiled project to stand in, and the names of the alerts whose tests are derived from now on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write(tmp_path, ALERTS)
    compiled()
    names: set[str] = set()
    real = cases.texts_of

    def texts_of(system: System, wanted: set[str]) -> Iterator[tuple[str, int, dict[int, str]]]:
        names.update(wanted)
        return real(system, wanted)

    monkeypatch.setattr(cases, "texts_of", texts_of)
    yield names


def compiled(*arguments: str, build: str = "build") -> dict[str, bytes]:
    """The build after a compile."""
    done = CliRunner().invoke(main, ["compile", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {str(path.relative_to(build)): path.read_bytes() for path in sorted(Path(build).rglob("*.yml"))}


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_changed_is_derived_and_the_build_is_as_if_all_were(what: str, derived: set[str]) -> None:
    alerts = dict(ALERTS)
    change, expected = CHANGES[what]
    change(alerts)
    write(Path(), alerts, above="# The whole file is moved down\n\n")
    again = compiled()
    assert derived == expected | {"Piled"}
    shutil.rmtree("build")
    assert compiled("--no-cache") == again
    assert derived >= set(alerts)


def test_who_stands_in_a_folder_of_the_project_gets_the_same_build(
    derived: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages show paths from there; what is cut from the build does not."""
    monkeypatch.chdir("rules_src")
    alerts = dict(ALERTS)
    for old, new in (("40", "45"), ("45", "50")):
        derived.clear()
        put(alerts, "Hot", old, new)
        write(Path(".."), alerts)
        again = compiled(build="../build")
        assert derived == {"Hot", "Piled"}
    assert compiled("--no-cache", build="../build") == again


def test_a_build_that_somebody_wrote_into_is_not_cut_from(derived: set[str]) -> None:
    path = next(path for path in sorted(Path("build/tests").iterdir()) if "hall" in path.read_text(encoding="utf-8"))
    path.write_text(path.read_text(encoding="utf-8").replace("hall", "mall"), encoding="utf-8")
    again = compiled()
    assert derived == set(ALERTS)
    assert not any(b"mall" in text for text in again.values())


_HASHES = """
import sys
from pathlib import Path
from typing import Any
from alertkit.prove.derived.content import contents_of
from tests.projects import systems_of
for system in systems_of(Path.cwd()):
    print(system.name, sorted(contents_of(system, "code").items()))
"""


def test_hashes_are_the_same_in_every_process(tmp_path: Path) -> None:
    shipped(tmp_path)
    said = [
        subprocess.run(
            [sys.executable, "-c", _HASHES], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1] and "HighLatency" in said[0]


def test_every_alert_of_built_in_kinds_has_a_hash_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shipped(tmp_path))
    hashes = []
    for system in systems_of(tmp_path):
        contents = contents_of(system, "code")
        # What is derived of kinds of users may be any function.
        assert {alert.name for alert, _ in system.with_companions()} - set(contents) <= {"DecisionsStalled"}
        assert set(contents.values()).isdisjoint(contents_of(system, "other code").values())
        hashes += contents.values()
    assert len(set(hashes)) == len(hashes)


def test_a_hash_says_everything_or_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shipped(tmp_path))
    system = systems_of(tmp_path)[0]
    alert = next(alert for alert, companion in system.with_companions() if alert.claim and not companion)
    question = Question("heat", (), "heat", "", (Selector("heat"),), NUMBER)

    def content(**changed: Any) -> str | None:
        assert alert.claim is not None
        stimulus = alert.claim.stimulus._replace(**changed)
        claim = derive(question, stimulus, (Level("warning", (Comparison(">", 8.0),), "8"),), None, None)
        return contents_of(system._replace(alerts=(alert._replace(claim=claim),)), "code").get(alert.name)

    assert len({content(rest=0), content(rest=0.0), content(rest=False), content(inputs=()), content(margin=0.1)}) == 5
    named = [content(**{key: one}) for key in ("gone", "leave") for one in ((), (("job", "a"),), (("job", "b"),))]
    assert len(set(named)) == 6
    assert content() is not None and content() == content(brink=())
    assert content(brink=[1.0]) is None and content(delay=lambda value: 1) is None
    assert content(drive=Drive(lambda value: ())) is None
    noted = system._replace(alerts=tuple([one._replace(notes=("s.yaml:9:1: look",)) for one in system.alerts]))
    assert contents_of(noted, "code") == contents_of(system, "code")  # notes have places


@pytest.mark.parametrize("below", ["rules_src", "rules_src/kinds", "notes/of/mine"])
def test_comments_of_the_routing_do_not_say_where_somebody_stands(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shipped(tmp_path / "project")
    (tmp_path / "project" / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / "project")
    compiled()
    monkeypatch.chdir(below)
    done = CliRunner().invoke(main, ["compile", "--check"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["compile", "--no-cache"], catch_exceptions=False)
    assert done.exit_code == 0 and "(unchanged)" in done.output
