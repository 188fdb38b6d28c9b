"""Every fault of the simulator fires on a real Prometheus in fast motion, or it is said what keeps it from that."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from alertkit.live.expect import timing
from alertkit.live.stack import Stack, compiled, run_stack
from alertkit.source import Problems
from alertkit.spec.project import read_project
from tests.servers import partner, versions

ROOT = Path(__file__).parents[2]
SCALE = 1000.0
PATIENCE = 90.0


def firing(stack: Stack) -> set[str]:
    return {
        f"{group.name}/{rule.name}"
        for group in stack.prometheus.rules(Problems()) or ()
        for rule in group.rules
        if any(alert.state == "firing" for alert in rule.active)
    }


def wait_for(stack: Stack, names: set[str]) -> None:
    seen: set[str] = set()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and names - seen:
        seen |= firing(stack)
        time.sleep(0.2)
    assert not names - seen


# One version is enough: what is shown is the simulator's own doing.
@pytest.mark.parametrize("binary", versions("prometheus")[-1:])
def test_every_fault_fires_or_says_why_not(binary: Path) -> None:
    programs = {"prometheus": binary, "alertmanager": partner(binary, "alertmanager")}
    project = read_project(ROOT, problems := Problems())
    built = project and compiled(project, problems)
    assert built, problems
    with run_stack(*built, programs, problems, SCALE) as stack:
        assert stack is not None, problems
        simulator = stack.simulator
        actors = list(simulator.actors.values())
        # Six hours of the past, in fast motion, for what compares with them.
        time.sleep(max(timing(actor, SCALE).history for actor in actors) / 1000)
        assert firing(stack) <= {"trading_platform/Watchdog"}
        [unusual] = simulator.find("crypto_stock/WebsocketConnectionsUnusual")
        simulator.break_(unusual, unusual.bad())
        wait_for(stack, {unusual.name})
        for actor in actors:
            simulator.break_(actor, actor.bad())
        undone = set(simulator.conflicts())
        assert len(undone) < 15
        wait_for(stack, {f"{a.system}/{a.alert.name}" for a in actors if a.name not in undone})
