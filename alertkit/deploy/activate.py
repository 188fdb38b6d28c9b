"""Letting servers load what is on disk, and making sure by their API that they did, and that it evaluates."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alertkit.deploy.alertmanager import Alertmanager
from alertkit.deploy.compare import same_query
from alertkit.deploy.loaded import LoadedGroup
from alertkit.deploy.nudge import PATIENCE, nudge_alertmanager, nudge_prometheus, tries, watch_patience
from alertkit.deploy.plan import config_hash
from alertkit.deploy.prometheus import Prometheus
from alertkit.deploy.target import Target
from alertkit.deploy.transaction import Checkpoint
from alertkit.deploy.verify import by_place, differences
from alertkit.source import Problems
from alertkit.spec.duration import format_duration
from alertkit.spec.project import shown_path

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done: `action` is check, write, verify, skip, restore, wait or keep; `text` in words."""

    action: str
    target: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


OnStep = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Expected:
    """What servers shall have: `rules` None and `alertmanager` None where nobody cares.

    `removed` are names of rule files that must no longer be loaded. `evaluated`: wait until every rule has been
    evaluated once more, without an error.
    """

    rules: tuple[LoadedGroup, ...] | None
    removed: tuple[str, ...]
    alertmanager: bytes | None
    evaluated: bool = True


def activate(
    target: Target,
    expected: Expected,
    problems: Problems,
    on_step: OnStep,
    checkpoint: Checkpoint = lambda name: None,
    patience: float = PATIENCE,
    all_of_them: bool = False,
) -> bool:
    """Reload all servers, then verify all; False at the first that fails, or after all with `all_of_them`."""
    good = True
    if expected.rules is not None:
        for index in range(len(target.prometheus)):
            good = nudge_prometheus(target, index, problems, patience) and good
            checkpoint("reloaded")
            if not (good or all_of_them):
                return False
    server = target.alertmanager if expected.alertmanager is not None else None
    if server is not None:
        good = nudge_alertmanager(target, server, problems) and good
        checkpoint("reloaded")
        if not (good or all_of_them):
            return False
    for index, prometheus in enumerate(target.prometheus) if expected.rules is not None else ():
        good = _verified(target, index, prometheus, expected, problems, on_step, patience) and good
        checkpoint("verified")
        if not (good or all_of_them):
            return False
    if server is not None and expected.alertmanager is not None:
        if verify_alertmanager(server, expected.alertmanager, target.alertmanager_file, problems, patience):
            on_step(Step("verify", "alertmanager", f"alertmanager {server.shown} reloaded, configuration verified",
                         {"url": server.shown}))  # fmt: skip
        else:
            good = False
        checkpoint("verified")
    return good


def _verified(
    target: Target, index: int, server: Prometheus, expected: Expected, problems: Problems, on_step: OnStep,
    patience: float,
) -> bool:  # fmt: skip
    wanted = expected.rules or ()
    folder = target.folders[index]
    if target.reload_by == "watch":
        found = watch_patience(server, problems)
        if found is None:
            return False
        patience = max(patience, found)
    if not verify_rules(server, wanted, problems, folder, expected.removed, patience):
        return False
    count = sum(len(group.rules) for group in wanted)
    text = f"{count} rule{_s(count)} in {len(wanted)} group{_s(len(wanted))} loaded and verified"
    if expected.evaluated and count:
        if not verify_evaluation(server, wanted, problems, folder, on_step):
            return False
        text += ", evaluated without errors"
    on_step(Step("verify", "prometheus", f"prometheus {server.shown} reloaded, {text}",
                 {"url": server.shown, "rules": count, "groups": len(wanted)}))  # fmt: skip
    return True


def verify_rules(
    server: Prometheus,
    wanted: Sequence[LoadedGroup],
    problems: Problems,
    rules_dir: Path | None = None,
    removed: Collection[str] = (),
    patience: float = PATIENCE,
) -> bool:
    """Poll until exactly the wanted rules are loaded; False and a problem for each difference (AK727) when not."""
    found: list[str] = []
    for _ in tries(patience):
        loaded = server.rules(problems)
        if loaded is None:
            return False
        found = differences(wanted, loaded, rules_dir=rules_dir, removed=removed, same_query=same_query)
        if not found:
            return True
    where = f" {shown_path(rules_dir)}" if rules_dir else ""
    help = f"does `rule_files:` of the server's prometheus.yml cover{where or ' the folder'}, as the server sees it?"
    state = server.reload_state(Problems())
    if state is not None and not state[0]:
        help = "its last reload failed: see its log for the file that it does not take"
    for text in found[:_MOST_SHOWN]:
        problems.append(server.at("AK727", f"{server.shown} has other rules than the build: {text}", help))
    if len(found) > _MOST_SHOWN:
        problems.append(server.at("AK727", f"{server.shown} has {len(found) - _MOST_SHOWN} more differences", help))
    return False


def verify_evaluation(
    server: Prometheus, wanted: Sequence[LoadedGroup], problems: Problems, rules_dir: Path | None, on_step: OnStep
) -> bool:
    """Wait until every wanted rule has been evaluated anew, at most one interval and a little more.

    False and problems: AK736 for a rule whose evaluation fails, AK737 when there was none in time.
    """
    names = {group.file for group in wanted}
    first: dict[tuple[str, str, int], float] | None = None
    end = 0.0
    waiting: list[str] = []
    for _ in tries(24 * 3600.0):
        loaded = server.rules(problems)
        if loaded is None:
            return False
        ours = by_place([g for g in loaded if Path(g.file).name in names], rules_dir)
        rules = {(f, g, i): rule for (f, g), group in ours.items() for i, rule in enumerate(group.rules)}
        errors = [(key, rule) for key, rule in rules.items() if rule.health == "err" or rule.last_error]
        if first is None:
            first = {key: rule.last_evaluation for key, rule in rules.items()}
            slowest = max((group.interval for group in ours.values()), default=0)
            end = time.monotonic() + slowest / 1000 * 1.5 + PATIENCE
            if slowest > 15_000:
                on_step(Step("wait", "prometheus", f"waiting for one evaluation of every rule, up to "
                             f"{format_duration(slowest)} ..."))  # fmt: skip
        # What was wrong before the first new evaluation is the old file's fault.
        errors = [(key, rule) for key, rule in errors if rule.last_evaluation > first.get(key, 0.0)]
        for key, rule in errors[:_MOST_SHOWN]:
            problems.append(server.at("AK736", f"{server.shown} cannot evaluate {rule.name} of {key[0]}: "
                                      f"{' '.join(rule.last_error.split()) or 'no reason given'}",
                                      "mend the expression in the spec; the old rules are put back"))  # fmt: skip
        if errors:
            return False
        waiting = [rule.name for key, rule in rules.items() if rule.last_evaluation <= first.get(key, 0.0)]
        if not waiting:
            return True
        if time.monotonic() > end:
            break
    problems.append(server.at("AK737", f"{server.shown} has not evaluated {', '.join(waiting[:3])} within an interval",
                              "is the server overloaded? see `alertkit status`"))  # fmt: skip
    return False


def verify_alertmanager(
    server: Alertmanager, content: bytes, file: Path | None, problems: Problems, patience: float = PATIENCE
) -> bool:
    """Poll until Alertmanager has loaded a file with this content; False and a problem (AK728) when not."""
    wanted = config_hash(content)
    for _ in tries(patience):
        found = server.config_hash(problems)
        if found is None:
            return False
        if found == wanted:
            return True
    name = shown_path(file) if file else "the build's alertmanager.yml"
    problems.append(server.at("AK728", f"{server.shown} has not loaded {name}",
                              "is it the file that Alertmanager was started with (--config.file)?"))  # fmt: skip
    return False


def _s(count: int) -> str:
    return "" if count == 1 else "s"
