"""From a build to running servers: HTTP clients, plans, files that change all or not at all, apply and roll back.

Failures become problems with the codes AK701 to AK759.
"""

from alertkit.deploy.activate import Expected, Step, activate
from alertkit.deploy.alertmanager import Alertmanager, AlertmanagerStatus
from alertkit.deploy.applying import Options, Outcome, apply
from alertkit.deploy.build import Build, check, expected_groups, read_build
from alertkit.deploy.client import SessionFactory
from alertkit.deploy.compare import Comparison, Difference, RuleChange, compare
from alertkit.deploy.files import Change, plan_folder
from alertkit.deploy.loaded import ActiveAlert, LoadedGroup, LoadedRule
from alertkit.deploy.plan import Plan, make_plan
from alertkit.deploy.prometheus import Prometheus
from alertkit.deploy.state import State
from alertkit.deploy.target import Target, read_target
from alertkit.deploy.verify import differences

__all__ = [
    "ActiveAlert",
    "Alertmanager",
    "AlertmanagerStatus",
    "Build",
    "Change",
    "Comparison",
    "Difference",
    "Expected",
    "LoadedGroup",
    "LoadedRule",
    "Options",
    "Outcome",
    "Plan",
    "Prometheus",
    "RuleChange",
    "SessionFactory",
    "State",
    "Step",
    "Target",
    "activate",
    "apply",
    "check",
    "compare",
    "differences",
    "expected_groups",
    "make_plan",
    "plan_folder",
    "read_build",
    "read_target",
]
