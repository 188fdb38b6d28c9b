"""`alertkit explain-error`: what the code of an error means and what to do."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import Any

import click

from alertkit.cli import complete
from alertkit.cli.common import BAD_INPUT


@click.command("explain-error")
@click.argument("code", required=False, shell_complete=complete.codes)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(code: str | None, format_: str) -> None:
    """Tell what an error's code means and what to do; without CODE, list all codes.

    \b
    Examples:
      alertkit explain-error AK305
      alertkit explain-error
    """
    pages = files("alertkit.source").joinpath("codes")
    known = sorted(page.name.removesuffix(".md") for page in pages.iterdir() if page.name.endswith(".md"))
    if code is None:
        rows = [{"code": name, "title": _title(_read(pages, name))} for name in known]
        if format_ == "json":
            click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
            return
        for row in rows:
            click.echo(f"{row['code']}  {row['title']}")
        click.echo("\nalertkit explain-error CODE tells more of one")
        return
    name = code.strip().upper()
    if name.isdigit():
        name = f"AK{name}"
    if name not in known:
        click.echo(f"there is no error `{code}`; {_near(name, known)}", err=True)
        sys.exit(BAD_INPUT)
    text = _read(pages, name)
    if format_ == "json":
        click.echo(json.dumps({"code": name, "title": _title(text), "page": text}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{name}: {text.removeprefix('# ').rstrip()}")


def _read(pages: Any, name: str) -> str:
    text: str = pages.joinpath(f"{name}.md").read_text(encoding="utf-8")
    return text


def _title(text: str) -> str:
    return text.split("\n", 1)[0].removeprefix("# ").strip()


def _near(name: str, known: list[str]) -> str:
    """The nearest code, of the same family if there is one."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else "`alertkit explain-error` lists all"
