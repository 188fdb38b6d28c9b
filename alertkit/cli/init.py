"""`alertkit init`: a small project to start from."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from alertkit.cli.common import fail, found_alertmanager
from alertkit.source import Problems
from alertkit.spec.project import shown_path
from alertkit.spec.version import OLDEST

# Files of `cli/project/`, in the order in which they are best read, and the names they get.
FILES = {
    "alertkit.yaml": "alertkit.yaml",
    "rules_src/shop.yaml": "rules_src/shop.yaml",
    "alertmanager/routing.yaml": "alertmanager/routing.yaml",
    "promtool_tests/shop.test.yml": "promtool_tests/shop.test.yml",
    "gitignore": ".gitignore",
}


@click.command("init")
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make a small project in FOLDER (by default here): specs, routing and a test, with comments that teach.

    Nothing that is there already is overwritten: then nothing is written at all, and the exit code is 2.

    \b
    Examples:
      alertkit init
      alertkit init my-alerts
    """
    from alertkit.source import Span

    problems = Problems()
    if os.path.lexists(folder) and not folder.is_dir():
        problems.add("AK120", f"`{shown_path(folder)}` is not a folder", None, "name another one, or a new one")
    for name in FILES.values():
        path = folder / name
        if os.path.lexists(path):
            problems.add(
                "AK120", "this file is there already, and `init` overwrites nothing", Span(shown_path(path), 1, 1),
                "use another folder: `alertkit init my-alerts`",
            )  # fmt: skip
    if problems:
        fail(problems)
    try:
        written = _write(folder)
    except OSError as error:
        problems.add(
            "AK121", f"`{error.filename or shown_path(folder)}` cannot be written: {error.strerror or error}", None,
            "choose a folder that you may write to; nothing was left behind",
        )  # fmt: skip
        fail(problems)
    for path in written:
        click.echo(f"wrote {shown_path(path)}")
    step = "" if folder.resolve() == Path.cwd() else f"  cd {_quoted(str(folder))}\n"
    click.echo(
        f"\nNext:\n\n{step}  alertkit compile     specs -> build/, plain files for Prometheus and Alertmanager\n"
        "  alertkit test        prove every alert with promtool\n\n"
        "Then read rules_src/shop.yaml, change a threshold, and do both again."
    )


def _write(folder: Path) -> list[Path]:
    """Write all files, or none: what was made before a failure is taken away again."""
    templates = files("alertkit.cli").joinpath("project")
    made: list[Path] = []
    try:
        for source, name in FILES.items():
            path = folder / name
            for parent in reversed([p for p in (path.parent, *path.parent.parents) if not p.exists()]):
                parent.mkdir()
                made.append(parent)
            text = _for_here(templates.joinpath(source).read_text(encoding="utf-8"))
            with path.open("x", encoding="utf-8", newline="\n") as file:
                made.append(path)
                file.write(text)
    except OSError:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        raise
    return [folder / name for name in FILES.values()]


def _for_here(text: str) -> str:
    """The routing of a new project is written for the Alertmanager that is found, as far as alertkit goes back."""
    oldest = f'alertmanager_version: "{_dotted(OLDEST)}"'
    found = found_alertmanager() if oldest in text else None
    return text.replace(oldest, f'alertmanager_version: "{_dotted(found)}"') if found and found > OLDEST else text


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
