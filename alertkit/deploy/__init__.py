"""From a build to running servers: HTTP clients, files that change all or not at all, reload and verify.

Failures become problems with the codes AK701 to AK729.
"""

from alertkit.deploy.build import Build, check, expected_groups, read_build
from alertkit.deploy.client import Alertmanager, AlertmanagerStatus, Prometheus, SessionFactory
from alertkit.deploy.files import Change, plan_folder, restore, write
from alertkit.deploy.loaded import LoadedGroup, LoadedRule
from alertkit.deploy.reload import Step, reload
from alertkit.deploy.target import Target, read_target
from alertkit.deploy.verify import differences

__all__ = [
    "Alertmanager",
    "AlertmanagerStatus",
    "Build",
    "Change",
    "LoadedGroup",
    "LoadedRule",
    "Prometheus",
    "SessionFactory",
    "Step",
    "Target",
    "check",
    "differences",
    "expected_groups",
    "plan_folder",
    "read_build",
    "read_target",
    "reload",
    "restore",
    "write",
]
