"""`alertkit tools`: fetch promtool, amtool, prometheus and alertmanager, or list those that are there."""

from __future__ import annotations

import sys

import click

from alertkit.cli.common import BROKEN_TOOL, OK, fail
from alertkit.source import Problems
from alertkit.toolchain import TOOLS, find_all, progress_bar
from alertkit.toolchain import install as install_tools


@click.group("tools", no_args_is_help=True)
def command() -> None:
    """Fetch the external programs that alertkit uses, or list them.

    \b
    Examples:
      alertkit tools install
      alertkit tools install --only promtool --only amtool
      alertkit tools install --mirror https://mirror.example.com/github
      alertkit tools list
    """


@command.command("install")
@click.option(
    "--mirror", metavar="URL",
    help="Fetch official releases from here instead of github.com (same folders below it); also ALERTKIT_MIRROR.",
)  # fmt: skip
@click.option(
    "--only", "names", multiple=True, metavar="TOOL", type=click.Choice(TOOLS),
    help="Only this tool; may be given several times.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Fetch also what is there already.")
def install(mirror: str | None, names: tuple[str, ...], force: bool) -> None:
    """Put missing tools into your cache folder; needs no root and starts no service.

    On Debian and Ubuntu they come from the package mirror that this machine uses, elsewhere from the official
    releases, whose published SHA-256 sums are checked. Tools that are found already are left alone.

    \b
    Examples:
      alertkit tools install
      alertkit tools install --only promtool
      alertkit tools install --mirror https://mirror.example.com/github
    """
    problems = Problems()
    with progress_bar() as (say, progress):
        done = install_tools(
            list(dict.fromkeys(names)) or TOOLS, problems, mirror=mirror, force=force, say=say, progress=progress
        )
    if done is None:
        fail(problems, BROKEN_TOOL)
    for tool in done.there:
        click.echo(f"{tool.name} {tool.full_version} is there already: {tool.path}")
    for tool in done.new:
        click.echo(f"{tool.name} {tool.full_version} installed: {tool.path}")


@command.command("list")
def list_() -> None:
    """List the tools that were found: name, version and path.

    \b
    Examples:
      alertkit tools list
    """
    bad = False
    for name, tool in find_all().items():
        if tool is None or tool.version is None:
            bad = True
            click.echo(f"{name:<13} {'missing' if tool is None else f'broken      {tool.path}'}")
        else:
            click.echo(f"{name:<13} {tool.full_version:<11} {tool.path}")
    sys.exit(BROKEN_TOOL if bad else OK)
