"""What the commands about environments share: options, how steps and problems are shown, exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from alertkit.cli import complete
from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, fail, style_of, this_project
from alertkit.source import Problem, Problems

if TYPE_CHECKING:
    from alertkit.deploy import Outcome, Plan, Step, Target

# What the user can mend in the project itself; all else is a tool's or a server's failure.
_INPUT = {"AK710", "AK720", "AK721", "AK722", "AK723", "AK724", "AK725", "AK732", "AK733", "AK738"}
STALE = "AK739"
F = TypeVar("F", bound=Callable[..., Any])

verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="List every addition of the plan, not only how many."
)
env_option = click.option(
    "--env",
    "environment",
    required=True,
    metavar="NAME",
    help="An environment of alertkit.yaml.",
    shell_complete=complete.environments,
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)


class Seconds(click.ParamType[float]):
    """A Prometheus duration on the command line, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from alertkit.spec.duration import parse_duration

        if isinstance(value, (int, float)):
            return float(value)
        found = parse_duration(str(value))
        if found is None:
            self.fail(f"`{value}` is not a duration: write 30s or 5m", param, ctx)
        return found / 1000


def apply_options(function: F) -> F:
    """The options that apply, reload and rollback have in common."""
    for option in (
        click.option("--lock-wait", type=Seconds(), default=0.0, metavar="DURATION",
                     help="Wait so long for another run to end; by default say who it is and leave."),
        click.option("--overwrite", is_flag=True, help="Replace files that were changed by hand, after a copy."),
        format_option,
        env_option,
    ):  # fmt: skip
        function = option(function)
    return function


def code_of(problems: Problems) -> int:
    """1 for a stale build, 2 when all that is wrong is the project's, 3 when a tool, server or disk is to blame."""
    if {p.code for p in problems} == {STALE}:
        return FAILED
    # AK1 to AK5 are mistakes in the project's own files.
    return BAD_INPUT if problems and all(p.code in _INPUT or p.code < "AK6" for p in problems) else BROKEN_TOOL


def this_target(environment: str) -> Target:
    """An environment of this project; leaves with its problems."""
    from alertkit.deploy import read_target

    target = read_target(this_project(), environment, problems := Problems())
    if target is None:
        fail(problems, code_of(problems))
    return target


def problem_json(problem: Problem) -> dict[str, Any]:
    place = str(problem.span) if problem.span else None
    return {"code": problem.code, "message": problem.message, "help": problem.help, "place": place}


def run_apply(
    environment: str, form: str, *, build: Path | None = None, to: int | None = None, overwrite: bool = False,
    lock_wait: float = 0.0, yes: bool = False, show: bool = True, verbose: bool = False,
) -> NoReturn:  # fmt: skip
    """Plan, ask, apply, tell; leaves with the exit code."""
    from alertkit.deploy import Options, Outcome, apply
    from alertkit.deploy.fresh import up_to_date
    from alertkit.report.plan import plan_lines
    from alertkit.report.plan_json import plan_json

    problems = Problems()
    steps: list[Step] = []
    plans: list[Plan] = []
    declined = False

    def on_step(step: Step) -> None:
        steps.append(step)
        if form == "text":
            click.echo(step.text)

    def confirm(plan: Plan) -> bool:
        nonlocal declined
        plans.append(plan)
        if form == "text" and show:
            for line in plan_lines(plan, style_of(sys.stdout), verbose):
                click.echo(line)
        if yes:
            return True
        if form == "json" or not sys.stdin.isatty():
            problems.add("AK738", "nobody is there to confirm the plan", help="give --yes to apply it without asking")
            return False
        declined = not click.confirm(f"Apply this to {environment}?")
        return not declined

    options = Options(build, to, overwrite, lock_wait, confirm=confirm, on_step=on_step)
    project = this_project()
    outcome = Outcome("unchanged")
    if to is not None or up_to_date(project, build, problems):
        outcome = apply(project, environment, problems, options)
    code = code_of(problems) if problems else OK if outcome.done or declined else BROKEN_TOOL
    if form == "json":
        click.echo(json.dumps({
            "environment": environment, "loaded": outcome.done, "state": outcome.state, "build": outcome.number,
            "plan": plan_json(plans[0]) if plans else None,
            "steps": [{"action": s.action, "target": s.target, "text": s.text, **s.details} for s in steps],
            "problems": [problem_json(p) for p in problems.ordered()],
        }, indent=2))  # fmt: skip
        sys.exit(code)
    if problems:
        _say_state(outcome)
        fail(problems, code)
    if declined:
        click.echo("nothing was changed")
    sys.exit(code)


def _say_state(outcome: Outcome) -> None:
    said = {
        "new": "the new state is in force",
        "old": "everything runs the old state, whole",
        "unchanged": "nothing was changed",
        "unclear": "not every file or server could be brought back: the next apply tries again",
    }
    click.echo(said[outcome.state])
