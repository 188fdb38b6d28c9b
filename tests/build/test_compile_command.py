"""`alertkit compile`: the same bytes every time, whole or not at all, and accepted by every promtool and amtool."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alertkit.build.workers import PARALLEL_FROM
from tests.projects import shipped, small
from tests.servers import versions

ALERT = "Hot: {kind: threshold, metric: temperature_celsius, by: [room], above: 30}"


def alertkit(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alertkit", *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shipped(tmp_path_factory.mktemp("shipped"))
    done = alertkit(folder, "compile")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_five_systems_are_compiled(built: Path) -> None:
    names = {path.name for path in (built / "build" / "rules").iterdir()}
    assert names == {
        "autonomous_trader.yml", "crypto_stock.yml", "peak_trade.yml", "spark_stacker.yml", "trading_platform.yml",
    }  # fmt: skip
    assert (built / "build" / "alertmanager.yml").is_file()


@pytest.mark.parametrize("promtool", versions("promtool"))
def test_promtool_accepts_the_rules_and_the_tests_hold_without_alertkit(built: Path, promtool: Path) -> None:
    rules = sorted(map(str, (built / "build" / "rules").iterdir()))
    checked = subprocess.run([promtool, "check", "rules", "--lint-fatal", *rules], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    # A few are enough to show that the files stand on their own, as `alertkit test` runs all of them: one system, and
    # copies of an alert with companions, which `alertkit test` looks at one by one.
    folder = built / "build" / "tests"
    files = [*folder.glob("peak_trade.*"), *folder.glob("spark_stacker.5m.*")]
    tests = sorted(str(path) for path in files if path.stat().st_size < 40_000)  # the longest take twice all others
    assert len(tests) > 8
    proven = subprocess.run([promtool, "test", "rules", *tests], capture_output=True, text=True)
    assert proven.returncode == 0, proven.stdout + proven.stderr


@pytest.mark.parametrize("amtool", versions("amtool"))
def test_amtool_accepts_the_routing(built: Path, amtool: Path) -> None:
    done = subprocess.run(
        [amtool, "check-config", built / "build" / "alertmanager.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_stands_under_the_line_of_its_spec(built: Path) -> None:
    text = (built / "build" / "rules" / "peak_trade.yml").read_text(encoding="utf-8").split("\n")
    spec = (built / "rules_src" / "peak_trade.yaml").read_text(encoding="utf-8").split("\n")
    found = 0
    for above, line in itertools.pairwise(text):
        if line.strip().startswith("- alert: "):
            name = line.split(": ", 1)[1]
            path, _, number = above.strip().removeprefix("# ").rpartition(":")
            assert path == "rules_src/peak_trade.yaml"
            stands = spec[int(number) - 1].strip()
            assert stands == f"{name}:" or (name.endswith("Missing") and stands.startswith("missing: alert")), name
            found += 1
    assert found > 15


def test_the_same_input_gives_the_same_bytes(built: Path) -> None:
    first = tree(built / "build")
    done = alertkit(built, "compile", "--no-cache", "--jobs", "1", PYTHONHASHSEED="7")
    assert done.returncode == 0 and "(unchanged)" in done.stdout
    again = alertkit(built, "compile", "--no-cache", "--jobs", "2", PYTHONHASHSEED="11")
    assert again.returncode == 0 and "(unchanged)" in again.stdout
    assert tree(built / "build") == first


def test_check_says_what_is_stale(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    assert alertkit(tmp_path, "compile", "--check").returncode == 1
    assert not (tmp_path / "build").exists()
    assert alertkit(tmp_path, "compile").returncode == 0
    assert alertkit(tmp_path, "compile", "--check").returncode == 0
    (tmp_path / "build" / "rules" / "demo.yml").write_text("groups: []\n", encoding="utf-8")
    done = alertkit(tmp_path, "compile", "--check")
    assert done.returncode == 1 and "rules/demo.yml is stale" in done.stdout
    assert (tmp_path / "build" / "rules" / "demo.yml").read_text(encoding="utf-8") == "groups: []\n"


@pytest.mark.parametrize("build", [".", "rules_src", "alertmanager", "notes", "home"])
def test_a_build_never_takes_the_place_of_files_of_others(tmp_path: Path, build: str) -> None:
    small(tmp_path, ALERT)
    for name in ("alertmanager/old.yml", "notes/rules/mine.yml", "home/.ssh/key"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine: 1\n", encoding="utf-8")
    (tmp_path / "alertkit.yaml").write_text(f"build: {build}\nalertmanager: routing\n", encoding="utf-8")
    (tmp_path / "routing").mkdir()
    before = tree(tmp_path)
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "error[AK114]" in done.stderr and "alertkit.yaml:1:8" in done.stderr
    assert tree(tmp_path) == before


def test_what_alertkit_made_may_go(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    assert alertkit(tmp_path, "compile").returncode == 0
    spec = tmp_path / "rules_src" / "demo.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("system: demo", "system: other"), encoding="utf-8")
    done = alertkit(tmp_path, "compile", XDG_CACHE_HOME=str(tmp_path / "no-memory"))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "build" / "rules").iterdir()] == ["other.yml"]


def test_a_changed_spec_is_never_served_from_the_cache(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    alertkit(tmp_path, "compile")
    small(tmp_path, ALERT.replace("30", "40"))
    alertkit(tmp_path, "compile")
    assert "> 40" in (tmp_path / "build" / "rules" / "demo.yml").read_text(encoding="utf-8")
    (tmp_path / "alertkit.yaml").write_text("scrape_interval: 4m\n", encoding="utf-8")
    small_window = ALERT.replace("above", "over: avg, window: 5m, above")
    small(tmp_path, small_window)
    (tmp_path / "alertkit.yaml").write_text("scrape_interval: 4m\n", encoding="utf-8")
    assert "AK312" in alertkit(tmp_path, "compile").stderr


def test_a_system_that_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    small(tmp_path, ALERT, system="other")
    alertkit(tmp_path, "compile")
    (tmp_path / "rules_src" / "other.yaml").unlink()
    alertkit(tmp_path, "compile")
    assert all("other" not in name for name in tree(tmp_path / "build"))


def test_a_failed_compile_leaves_the_old_build(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    alertkit(tmp_path, "compile")
    before = tree(tmp_path / "build")
    small(tmp_path, ALERT.replace("above: 30", "above: hot"))
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "AK302" in done.stderr
    assert tree(tmp_path / "build") == before
    assert {path.name for path in tmp_path.iterdir()} == {"alertkit.yaml", "rules_src", "build"}


def test_a_killed_compile_leaves_a_whole_build(tmp_path: Path) -> None:
    """Killed at many moments, the folder holds either the whole old or the whole new build."""
    alerts = [ALERT.replace("Hot", f"Hot{i}").replace("temperature", f"t{i}") for i in range(40)]
    small(tmp_path, *alerts)
    alertkit(tmp_path, "compile")
    old = tree(tmp_path / "build")
    small(tmp_path, *[alert.replace("above: 30", "above: 31") for alert in alerts])
    wanted = None
    for tenth in range(2, 14, 2):
        process = subprocess.Popen(
            [sys.executable, "-m", "alertkit", "compile", "--no-cache"], cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(tenth / 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = tree(tmp_path / "build")
        if now != old:
            wanted = wanted or now
            assert now == wanted
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 0
    assert wanted is None or tree(tmp_path / "build") == wanted
    assert tree(tmp_path / "build") != old


def test_a_build_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    (tmp_path / "alertkit.yaml").write_text("build: rules_src/demo.yaml/build\n", encoding="utf-8")
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "error[AK113]" in done.stderr and "alertkit.yaml:1:8" in done.stderr


def test_compiled_anew_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    for name in ("one", "other"):
        small(tmp_path, ALERT, system=name)
    assert alertkit(tmp_path, "compile").returncode == 0
    whole = tree(tmp_path / "build")
    one, other = (tmp_path / "build" / "rules" / f"{name}.yml" for name in ("one", "other"))
    before = one.stat().st_ino
    other.write_text("somebody wrote here\n", encoding="utf-8")
    assert alertkit(tmp_path, "compile", "--no-cache").returncode == 0
    assert tree(tmp_path / "build") == whole and one.stat().st_ino == before


def test_killed_with_its_workers_it_leaves_nothing_that_stays(tmp_path: Path) -> None:
    """Workers end by themselves, and the next compile removes what is old enough to be nobody's."""
    for index in range(PARALLEL_FROM + 2):
        alerts = [ALERT.replace("Hot", f"Hot{i}").replace("temperature", f"t{i}") for i in range(40)]
        small(tmp_path, *alerts, system=f"s{index}")
    command = [sys.executable, "-m", "alertkit", "compile", "--jobs", "2"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (workers := _children(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=60)  # the workers hold its output, and are gone when that ends
    assert workers
    (left,) = tmp_path.glob(".build.alertkit-*")
    assert alertkit(tmp_path, "compile").returncode == 0
    assert left.exists()  # it might be that of another compile that has just begun
    other = tmp_path / ".build-settings"
    other.mkdir()
    for folder in (left, other):
        os.utime(folder, (0, 0))
    small(tmp_path, ALERT, system="s0")
    assert alertkit(tmp_path, "compile").returncode == 0
    assert not left.exists() and other.is_dir()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def test_where_folders_cannot_change_places_in_one_step_a_kill_between_two_is_undone(tmp_path: Path) -> None:
    def compiled(above: str, before: str = "pass") -> int:
        small(tmp_path, ALERT.replace("30", above))
        program = f"import os; from alertkit.build import beside; beside._exchange = lambda *_: False\n{before}\n"
        program += "from alertkit.cli import run; run()"
        return subprocess.run([sys.executable, "-c", program, "compile"], cwd=tmp_path, capture_output=True).returncode

    assert compiled("30") == 0
    old = tree(tmp_path / "build")
    killed = "beside.Path.rename = lambda a, b, real=os.rename: real(a, b) or os.kill(os.getpid(), 9)"
    assert compiled("40", killed) == -signal.SIGKILL
    assert not (tmp_path / "build").exists()
    assert compiled("nothing") == 2
    assert tree(tmp_path / "build") == old
    (tmp_path / ".build.alertkit-old" / "left").mkdir(parents=True)  # by who was killed after both steps
    assert compiled("40") == 0
    assert "> 40" in (tmp_path / "build" / "rules" / "demo.yml").read_text(encoding="utf-8")
    assert not (tmp_path / ".build.alertkit-old").exists()


def test_a_link_stays_and_what_it_leads_to_is_renewed(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "build").symlink_to("elsewhere")
    for above in ("30", "40"):
        small(tmp_path, ALERT.replace("30", above))
        assert alertkit(tmp_path, "compile").returncode == 0
        assert (tmp_path / "build").is_symlink()
        assert f"> {above}" in (tmp_path / "elsewhere" / "rules" / "demo.yml").read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"alertkit.yaml", "rules_src", "build", "elsewhere"}


def test_a_file_in_the_place_of_the_build_stays(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    (tmp_path / "alertkit.yaml").write_text("build: notes.txt\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("precious", encoding="utf-8")
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "AK113" in done.stderr and "ot a directory" in done.stderr
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize(
    ("odd", "target"), [("caf\udce9.txt", None), ("self", "self"), ("above", ".."), (".#demo.yaml", "me@here.1:2")]
)
def test_odd_names_beside_specs_are_no_trouble(odd: str, target: str | None, tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    place = tmp_path / "rules_src" / odd
    if target is None:
        place.write_text("", encoding="utf-8")
    else:
        place.symlink_to(target)
    for _ in range(2):
        done = alertkit(tmp_path, "compile")
        assert done.returncode == 0, done.stderr


def test_mistakes_are_json_for_programs_too(tmp_path: Path) -> None:
    small(tmp_path, ALERT.replace("above: 30", "above: hot"), ALERT.replace("Hot", "Cold").replace("metric", "metrik"))
    done = alertkit(tmp_path, "compile", "--format", "json")
    told = json.loads(done.stdout)["problems"]
    assert done.returncode == 2 and [problem["code"] for problem in told] == ["AK302", "AK201"]
    assert told[1]["span"] == {"path": "rules_src/demo.yaml", "line": 5, "column": 27, "length": 6}
    assert "error[AK201]" in done.stderr
    (tmp_path / "alertkit.yaml").write_text("scrape_intervall: 1s\n", encoding="utf-8")
    assert json.loads(alertkit(tmp_path, "compile", "--format", "json").stdout)["problems"]
