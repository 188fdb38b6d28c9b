"""`alertkit schema`: JSON Schemas for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from alertkit.cli.common import fail, this_project

if TYPE_CHECKING:
    from alertkit.spec.schema import Schema


@click.command("schema")
@click.argument("what", type=click.Choice(["spec", "routing", "project"]), default="spec")
def command(what: str) -> None:
    """Print the JSON Schema of spec files, of routing files or of `alertkit.yaml`.

    An editor that speaks YAML completes keys with it and marks mistakes while you type. The kinds and severities of
    this project are in it, so print it anew when they change.

    \b
    Examples:
      alertkit schema > spec.schema.json
      alertkit schema routing > routing.schema.json
    and then, as the first line of a spec file:
      # yaml-language-server: $schema=../spec.schema.json
    """
    click.echo(json.dumps(_schema(what), indent=1, ensure_ascii=False))


def _schema(what: str) -> Schema:
    if what == "spec":
        from alertkit.kinds.own_file import FOLDER, read_kinds
        from alertkit.kinds.schema import spec_schema
        from alertkit.source import Problems
        from alertkit.spec.routing import read_routing

        problems, project = Problems(), this_project()
        registry = read_kinds(project.specs / FOLDER, problems)
        severities = [*project.file.severities]
        for loaded in read_routing(project.alertmanager, problems):
            severities += [name for name in loaded.file.severities if name not in severities]
        if problems:
            fail(problems)
        return spec_schema(registry, severities)
    from alertkit.spec.schema import project_schema, routing_schema

    return routing_schema() if what == "routing" else project_schema()
