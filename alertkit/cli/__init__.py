"""The command line: one thin file per command, loaded only when it is called."""

from __future__ import annotations

import errno
import importlib
from typing import Any

import click

from alertkit import __version__

# Command -> one line of help; the command is `alertkit.cli.<name>:command` (a dash becomes an underscore).
COMMANDS = {
    "init": "Make a small project to start from.",
    "compile": "Compile specs into plain Prometheus, Alertmanager and promtool files.",
    "test": "Compile, and prove every alert with the real promtool.",
    "coverage": "Say what the cases of each alert show of it, and what none shows.",
    "route": "Say who is told of an alert, when, and what mutes it.",
    "render": "Show the notifications that people get of an alert.",
    "plan": "Show what an apply would change in rules, routing and active alerts.",
    "apply": "Put the build into running servers, all or nothing, and verify it.",
    "rollback": "Put a build of before into force again.",
    "reload": "The same as `apply --yes`.",
    "status": "Show whether servers run what was applied, evaluate it, and can tell people.",
    "drill": "Send a marked synthetic alert and see whether it arrives.",
    "simulate": "Serve the systems' metrics on loopback, healthy or broken.",
    "demo": "Watch one alert travel through real servers to a message.",
    "kinds": "List the kinds of alerts, or print the reference page of one.",
    "schema": "Print a JSON Schema, for editors that complete and check.",
    "explain-error": "Tell more of the code of an error.",
    "doctor": "Show the tools that were found, and how to get what is missing.",
    "tools": "Fetch promtool, amtool, prometheus and alertmanager, without root.",
}


class _Lazy(click.Group):
    """A group that knows its commands' names and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"alertkit.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from alertkit.spec.validate import suggest

            raise click.UsageError(f"there is no command `{name}`; {suggest(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """A full disk is nobody's bug, wherever it is met."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            from alertkit.cli.common import BROKEN_TOOL, fail
            from alertkit.source import Problem

            where = f" for {error.filename}" if error.filename else ""
            help = "free some space, or set TMPDIR to a larger disk"
            fail([Problem("AK606", f"there is no room left{where}", help=help)], BROKEN_TOOL)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(__version__, "-V", "--version", message="alertkit %(version)s")
@click.option(
    "-C", "--directory", type=click.Path(exists=True, file_okay=False), default=".",
    help="Stand in this folder instead of the current one.",
)  # fmt: skip
@click.pass_context
def main(ctx: click.Context, directory: str) -> None:
    """Alert specs in, proven Prometheus rules and Alertmanager routing out.

    \b
    Examples:
      alertkit init my-alerts     a small project to start from
      alertkit compile            specs -> build/
      alertkit test               prove every alert with promtool
      alertkit apply --env prod   put the build into running servers
    """
    import os
    from pathlib import Path

    if directory != ".":
        os.chdir(directory)
    try:
        Path.cwd()
    except FileNotFoundError:
        raise click.UsageError("the folder that you stand in is not there any more: go to another one") from None


def run() -> None:
    """Run the command line; the exit code is the process's own."""
    import gc

    _without_plugins()
    _with_streams()
    # Nearly all that a command makes it needs to its end, so looking for garbage seldom is worth while.
    gc.set_threshold(200_000, 20, 100)
    try:
        main(prog_name="alertkit")
    finally:
        gc.freeze()  # what is left goes with the process; looking through it would take a tenth of a compile


def _with_streams() -> None:
    """Who starts a program without output or errors (`>&-`) does not want to see them."""
    import os
    import sys
    from pathlib import Path

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (to the end)


def _without_plugins() -> None:
    """Keep pydantic from looking for plugins, which alertkit's models have no use for.

    The setting that pydantic offers for it comes after its loader has imported `importlib.metadata`, which takes half
    as long as pydantic itself. So another loader is there first; a pydantic that has none simply looks for plugins.
    """
    import sys
    from types import ModuleType

    loader = ModuleType("pydantic.plugin._loader")
    loader.__dict__["get_plugins"] = tuple
    sys.modules.setdefault(loader.__name__, loader)
