"""`alertkit init`: what it makes compiles and is proven; it never overwrites anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.cli.init import FILES

PROMTOOL = shutil.which("promtool")
AMTOOL = shutil.which("amtool")


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    return home


def call(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_makes_a_project_that_compiles(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("init", "my alerts")
    assert result.exit_code == 0
    assert "  cd 'my alerts'\n  alertkit compile " in result.output
    assert files(world / "my alerts") == set(FILES.values())
    monkeypatch.chdir(world / "my alerts")
    compiled = call("compile")
    assert compiled.exit_code == 0, compiled.output
    assert call("compile", "--check").exit_code == 0


@pytest.mark.parametrize(("found", "written"), [(None, "0.25"), ((0, 24), "0.25"), ((0, 33), "0.33")])
def test_the_routing_is_written_for_the_alertmanager_that_is_here(
    found: tuple[int, int] | None, written: str, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alertkit.cli.init.found_alertmanager", lambda: found)
    call("init")
    assert f'alertmanager_version: "{written}" ' in (world / "alertkit.yaml").read_text()
    assert call("compile").exit_code == 0


@pytest.mark.skipif(PROMTOOL is None or AMTOOL is None, reason="promtool or amtool is not on PATH")
def test_what_it_makes_is_proven(world: Path) -> None:
    assert PROMTOOL is not None and AMTOOL is not None
    assert "  cd " not in call("init").output
    assert call("compile").exit_code == 0
    tested = call("test")
    assert tested.exit_code == 0, tested.output
    tests = [*sorted((world / "build" / "tests").glob("*.yml")), world / "promtool_tests" / "shop.test.yml"]
    assert len(tests) > 1
    for command in ([PROMTOOL, "test", "rules", *map(str, tests)], [AMTOOL, "check-config", "build/alertmanager.yml"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_its_own_test_notices_a_change(world: Path) -> None:
    assert PROMTOOL is not None
    call("init")
    spec = world / "rules_src" / "shop.yaml"
    spec.write_text(spec.read_text().replace("for: 2m\n", "for: 3m\n"))
    assert call("compile").exit_code == 0
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "promtool_tests/shop.test.yml"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1


@pytest.mark.parametrize("name", sorted(FILES.values()))
def test_overwrites_nothing(world: Path, name: str) -> None:
    (world / name).parent.mkdir(exist_ok=True)
    (world / name).write_text("mine")
    result = call("init")
    assert result.exit_code == 2
    assert f"{name}:1:1: error[AK120]" in result.output
    assert files(world) == {name} and (world / name).read_text() == "mine"


def test_a_dangling_link_is_no_free_place(world: Path) -> None:
    (world / "alertkit.yaml").symlink_to("nowhere")
    assert call("init").exit_code == 2 and not (world / "rules_src").exists()


def test_not_a_folder(world: Path) -> None:
    (world / "file").write_text("")
    result = call("init", "file")
    assert result.exit_code == 2 and "`file` is not a folder" in result.output


def test_leaves_nothing_behind_when_it_fails(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, at the third file."""
    opened = Path.open
    count = 0

    def full(path: Path, *args: object, **options: object) -> object:
        nonlocal count
        if args[:1] == ("x",):
            count += 1
            if count == 3:
                raise OSError(28, "No space left on device", str(path))
        return opened(path, *args, **options)  # type: ignore[arg-type,call-overload]

    monkeypatch.setattr(Path, "open", full)
    result = call("init", "new/project")
    assert result.exit_code == 2 and "error[AK121]" in result.output and "No space left" in result.output
    assert list(world.iterdir()) == []
