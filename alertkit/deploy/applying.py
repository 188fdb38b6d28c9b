"""Putting a build into running servers as one transaction: afterwards all of them run the new state, or all the old.

    lock -> finish or undo what a killed run left -> check -> plan -> (confirmation) -> write aside, journal, swap
    -> reload all -> verify all, also that every rule evaluates -> keep the build, close the journal

Whatever fails after the swap puts the old files back, reloads and verifies again. `checkpoint` is told every step, so
that tests can end the process at each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertkit.deploy.activate import Expected, OnStep, Step, activate
from alertkit.deploy.build import Build, check, fits_server, read_build
from alertkit.deploy.client import SessionFactory
from alertkit.deploy.files import Change
from alertkit.deploy.nudge import PATIENCE, check_processes, watch_patience
from alertkit.deploy.plan import RULES_MANIFEST, Plan, make_plan
from alertkit.deploy.recover import old_state, put_back, recover
from alertkit.deploy.state import State
from alertkit.deploy.target import Target, read_target
from alertkit.deploy.transaction import Checkpoint, Transaction, sweep
from alertkit.source import Problems
from alertkit.spec.project import Project, shown_path
from alertkit.toolchain import terminated_means_exit

NEW, OLD, UNCLEAR, UNCHANGED = "new", "old", "unclear", "unchanged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all servers run now: the `new` state, the `old` one, `unchanged` (nothing was tried), or it is `unclear`.

    `number` is the build that is in force, where it is known.
    """

    state: str
    number: int | None = None

    @property
    def done(self) -> bool:
        return self.state == NEW


@dataclass(frozen=True, slots=True)
class Options:
    """How to apply. Times in seconds; `confirm` is asked with the plan, under the lock; `build` a folder.

    `to` applies a kept build: its number, or 0 for the one before the current.
    """

    build: Path | None = None
    to: int | None = None
    overwrite: bool = False
    lock_wait: float = 0.0
    patience: float = PATIENCE
    confirm: Callable[[Plan], bool] = lambda plan: True
    on_step: OnStep = lambda step: None
    checkpoint: Checkpoint = lambda name: None
    session: SessionFactory | None = None
    evaluated: bool = True


def apply(project: Project, environment: str, problems: Problems, options: Options | None = None) -> Outcome:
    """Bring a build into an environment; the outcome, and problems that say why it is not the new state."""
    options = options or Options()
    target = read_target(project, environment, problems, options.session)
    built = None
    if options.to is None:
        built = read_build(options.build or project.build, problems)
    if target is None or (options.to is None and built is None):
        return Outcome(UNCHANGED)
    if target.state is None:
        if options.to is not None or built is None:
            problems.add("AK733", f"{environment} has no folder, so no builds are kept", help="add rules_dir:")
            return Outcome(UNCHANGED)
        return _run(target, None, built, problems, options)
    state = State(target.state, target.places.get(target.state))
    if not state.make(problems):
        return Outcome(UNCHANGED)

    def waiting(holder: str) -> None:
        options.on_step(Step("wait", "lock", f"waiting for {holder}"))

    with terminated_means_exit(), state.locked(problems, options.lock_wait, waiting) as held:
        if not held:
            return Outcome(UNCHANGED)
        options.checkpoint("locked")
        if not recover(
            state, target, problems, options.on_step, options.patience, options.checkpoint,
            lambda name, problems: (
                read_target(project, name, problems, options.session) if name in project.file.environments else None
            ),
        ):  # fmt: skip
            return Outcome(UNCLEAR)
        sweep(target)
        if options.to is not None:
            number = options.to or _previous(state)
            if not number:
                problems.add("AK733", f"no build before {state.current or 'the first'} is kept: there is no way back",
                             help="`alertkit rollback --list` shows what is kept")  # fmt: skip
                return Outcome(UNCHANGED, state.current)
            built = state.build(number, problems)
            if built is None:
                return Outcome(UNCHANGED, state.current)
        assert built is not None
        return _run(target, state, built, problems, options)


def _previous(state: State) -> int:
    """The number of the kept build before the current one; 0 when there is none."""
    current = state.current or 0
    return max([kept.number for kept in state.kept() if kept.number < current], default=0)


def _run(target: Target, state: State | None, build: Build, problems: Problems, options: Options) -> Outcome:
    on_step = options.on_step
    current = state.current if state else None
    for step in skipped(target, build):
        on_step(step)
    if not reachable(target, build, problems):
        return Outcome(UNCHANGED, current)
    tools = check(
        build, problems, rules=bool(target.rules_dirs or target.prometheus),
        alertmanager=bool(target.alertmanager_file or target.alertmanager), near=target,
    )  # fmt: skip
    if tools is None or not fits_server(target, build, problems):
        return Outcome(UNCHANGED, current)
    if tools:
        names = " and ".join(f"{tool.name} {tool.full_version}" for tool in tools)
        on_step(Step("check", "build", f"build: accepted by {names}"))
    plan = make_plan(target, build, problems, options.overwrite)
    if plan is None or not options.confirm(plan):
        return Outcome(UNCHANGED, current)
    options.checkpoint("planned")
    new = Expected(
        plan.wanted if build.rules else None, tuple(_removed(plan.changes)), build.alertmanager, options.evaluated
    )
    if state is None:
        done = activate(target, new, problems, on_step, options.checkpoint, options.patience)
        return Outcome(NEW if done else UNCLEAR)
    change = Transaction(state, target, plan.changes, options.checkpoint)
    old = old_state(target, change.changes)
    try:
        if not change.prepare(problems):
            state.close_journal()
            return Outcome(OLD, current)
        done = change.swap(problems)
        if done:
            for step in written(target, build, plan.changes):
                on_step(step)
            done = activate(target, new, problems, on_step, options.checkpoint, options.patience)
        if done:
            change.number = _keep(state, build, problems)
            done = change.number is not None
        if done:
            change.phase("recording")
    except BaseException as error:
        if change.begun:
            put_back(target, state, change, old, problems, on_step, options.patience, options.checkpoint)
        else:
            change.close()
        if not isinstance(error, OSError):
            raise
        problems.add("AK726", f"{state.folder} cannot be written: {error.strerror or error}",
                     help="check that the disk is not full")  # fmt: skip
        return Outcome(OLD, current)
    if not done:
        back = put_back(target, state, change, old, problems, on_step, options.patience, options.checkpoint)
        return Outcome(OLD if back else UNCLEAR, current)
    return _record(state, target, change, problems, options)


def _keep(state: State, build: Build, problems: Problems) -> int | None:
    try:
        for kept in state.kept():
            if build.folder == state.folder / "builds" / str(kept.number):
                return kept.number
        return state.store(build)
    except OSError as error:
        problems.add("AK726", f"the build cannot be kept in {state.folder}: {error.strerror or error}",
                     help="check that you may write there and that the disk is not full")  # fmt: skip
        return None


def _record(state: State, target: Target, change: Transaction, problems: Problems, options: Options) -> Outcome:
    """The last steps, which the next run makes if this one is killed here: everything runs the new state already."""
    assert change.number is not None
    try:
        options.checkpoint("recording")
        state.set_current(change.number, target.keep)
        change.close()
    except (KeyboardInterrupt, SystemExit):  # no time to leave
        state.set_current(change.number, target.keep)
        change.close()
        raise
    except OSError as error:
        problems.add("AK726", f"{state.folder} cannot be written: {error.strerror or error}",
                     help="all runs the new state; the next apply records it, once this can be written")  # fmt: skip
        return Outcome(NEW, change.number)
    options.on_step(Step("keep", "build", f"this is build {change.number} of {target.name}", {"number": change.number}))
    return Outcome(NEW, change.number)


def reachable(target: Target, build: Build, problems: Problems) -> bool:
    """Whether all servers answer and can be told to reload; asked before anything is written."""
    before = len(problems)
    for server in target.prometheus if build.rules else ():
        flags = server.flags(problems)
        if flags is not None and target.reload_by == "api" and flags.get("web.enable-lifecycle") == "false":
            problems.append(server.at(
                "AK708", f"{server.shown} does not allow reloading: its lifecycle API is not enabled",
                "start Prometheus with --web.enable-lifecycle, or set reload_by: signal or watch",
            ))  # fmt: skip
        if flags is not None and target.reload_by == "watch":
            watch_patience(server, problems)
    check_processes(target, problems)
    if target.alertmanager is not None and build.alertmanager is not None:
        target.alertmanager.status(problems)
    return len(problems) == before


def skipped(target: Target, build: Build) -> Iterator[Step]:
    """What will not be done, and why."""
    if not build.rules:
        yield Step("skip", "rules", "rules: skipped, the build has none")
    elif not target.rules_dirs:
        yield Step("skip", "rules", f"rules: not copied, {target.name} has no rules_dir")
    if build.rules and not target.prometheus:
        yield Step("skip", "prometheus", f"prometheus: not reloaded, {target.name} has no prometheus URL")
    if build.alertmanager is None:
        yield Step("skip", "alertmanager", "alertmanager: skipped, the build has no alertmanager.yml")
        return
    if target.alertmanager_file is None:
        yield Step("skip", "alertmanager", f"alertmanager.yml: not copied, {target.name} has no alertmanager_file")
    if target.alertmanager is None:
        yield Step("skip", "alertmanager", f"alertmanager: not reloaded, {target.name} has no alertmanager URL")


def written(target: Target, build: Build, changes: Sequence[Change]) -> Iterator[Step]:
    """What the swap did."""
    for folder in target.rules_dirs if build.rules else ():
        ours = [c for c in changes if c.path.parent == folder.resolve() and c.path.suffix == ".yml"]
        ours = [c for c in ours if c.path.name != RULES_MANIFEST]
        removed = [c.path.name for c in ours if c.new is None]
        count = len(build.rules)
        text = f"rules: {count} file{'s' if count != 1 else ''} -> {shown_path(folder)}{_counted(ours)}"
        changed = [c.path.name for c in ours if c.new is not None]
        yield Step("write", "rules", text, {"files": sorted(build.rules), "changed": changed, "removed": removed})
    file = target.alertmanager_file
    if file is not None and build.alertmanager is not None:
        ours = [c for c in changes if c.path == file.resolve()]
        count = len(build.templates)
        templates = f" with {count} template{'s' if count != 1 else ''}" if count else ""
        text = f"alertmanager.yml{templates} -> {shown_path(file)}"
        backups = [c.path for c in changes if c.path.name.startswith(file.name) and c.old is None and c not in ours]
        if not ours:
            text += " (unchanged)"
        if backups:
            text += f", the file of before is kept as {backups[0].name}"
        yield Step("write", "alertmanager", text, {"changed": bool(ours)})


def _removed(changes: Sequence[Change]) -> Iterator[str]:
    return (change.path.name for change in changes if change.new is None)


def _counted(changes: Sequence[Change]) -> str:
    counts = {
        "new": sum(c.old is None for c in changes),
        "changed": sum(c.old is not None and c.new is not None for c in changes),
        "removed": sum(c.new is None for c in changes),
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f" ({said or 'unchanged'})"
