"""`alertkit kinds`: what alerts can watch for."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Any

import click

from alertkit.cli import complete
from alertkit.cli.common import BAD_INPUT, fail, this_project


@click.command("kinds")
@click.argument("name", required=False, shell_complete=complete.kinds)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(name: str | None, format_: str) -> None:
    """List the kinds of alerts, or print the reference page of one.

    The kinds that this project defines in rules_src/kinds/, and those of installed packages, are among them.

    \b
    Examples:
      alertkit kinds
      alertkit kinds latency
      alertkit kinds --format json
    """
    from alertkit.kinds import PluginError
    from alertkit.kinds.own_file import FOLDER, read_kinds
    from alertkit.source import Problem, Problems
    from alertkit.spec.validate import suggest

    problems = Problems()
    registry = read_kinds(this_project().specs / FOLDER, problems)
    if problems:
        fail(problems)
    if name is None:
        _list(registry, format_)
        return
    if name not in registry:
        click.echo(f"there is no kind `{name}`; {suggest(name, registry)}", err=True)
        sys.exit(BAD_INPUT)
    try:
        data = _data(registry, name)
    except PluginError as error:
        fail([Problem("AK214", str(error), None, "mend or upgrade the package that offers this kind")])
    if format_ == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        _page(data)


def _data(registry: Any, name: str) -> dict[str, Any]:
    from alertkit.kinds import describe

    kind = registry[name]
    rows = describe.parameters(kind)
    return {
        "kind": name,
        "defined_by": "project" if registry.is_own(name) else "package" if registry.is_plugin(name) else "alertkit",
        "summary": describe.summary(kind),
        "page": describe.page(kind),
        "compared": describe.is_compared(kind),
        "parameters": [
            {"name": row.name, "type": row.type, "required": row.default is None, "default": row.default}
            for row in rows
        ],
    }


def _list(registry: Any, format_: str) -> None:
    from alertkit.kinds import PluginError

    kinds = []
    for name in registry:
        try:
            kinds.append(_data(registry, name))
        except PluginError as error:
            click.echo(f"kind `{name}` is left out: {error}", err=True)
    if format_ == "json":
        click.echo(json.dumps(kinds, indent=2, ensure_ascii=False))
        return
    width = max(len(kind["kind"]) for kind in kinds)
    for kind in kinds:
        mark = {"project": "  (this project's)", "package": "  (an installed package's)"}.get(kind["defined_by"], "")
        click.echo(f"{kind['kind']:<{width}}  {kind['summary']}{mark}")
    click.echo("\nalertkit kinds NAME tells more of one")


def _page(data: dict[str, Any]) -> None:
    from alertkit.kinds import describe
    from alertkit.spec.alert import CONDITIONS

    click.echo(f"{data['kind']}\n{'=' * len(data['kind'])}\n{data['page']}\n")
    rows = [(row["name"], row["type"], row["default"] or "must be given") for row in data["parameters"]]
    if rows:
        table = [("key", "type", "default"), *rows]
        widths = [max(len(row[i]) for row in table) for i in range(2)]
        for row in table:
            click.echo(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")
        click.echo()
    if data["compared"]:
        _keys("One of", f"{', '.join([*CONDITIONS, 'outside'])}; with clear and unit")
    _keys("Every alert", ", ".join(describe.common_keys()))


def _keys(title: str, keys: str) -> None:
    lead = f"{title}: "
    click.echo(textwrap.fill(keys, width=100, initial_indent=lead, subsequent_indent=" " * len(lead)))
