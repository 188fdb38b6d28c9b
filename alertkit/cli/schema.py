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
        from alertkit.build.inputs import read_inputs
        from alertkit.kinds.schema import spec_schema
        from alertkit.source import Problems

        problems = Problems()
        inputs = read_inputs(this_project(), problems)
        if problems:
            fail(problems)
        return spec_schema(inputs.registry, inputs.settings.severities)
    from alertkit.spec.schema import project_schema, routing_schema

    return routing_schema() if what == "routing" else project_schema()
