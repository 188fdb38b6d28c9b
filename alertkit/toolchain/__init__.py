"""External programs: finding, fetching and running promtool, amtool, prometheus and alertmanager.

The only place that starts processes. Failures become problems with the codes AK601 to AK619.
"""

from alertkit.toolchain.capabilities import CAPABILITIES, Capability, Version
from alertkit.toolchain.install import Installed, install, offer_install, progress_bar
from alertkit.toolchain.run import Command, Finished, Service, open_scratch, run, run_many, start, usable_cores
from alertkit.toolchain.scratch import Scratch, terminated_means_exit
from alertkit.toolchain.tools import INSTALL, TOOLS, Tool, cache_dir, find, find_all, nearest, require, tools_dir

__all__ = [
    "CAPABILITIES",
    "INSTALL",
    "TOOLS",
    "Capability",
    "Command",
    "Finished",
    "Installed",
    "Scratch",
    "Service",
    "Tool",
    "Version",
    "cache_dir",
    "find",
    "find_all",
    "install",
    "nearest",
    "offer_install",
    "open_scratch",
    "progress_bar",
    "require",
    "run",
    "run_many",
    "start",
    "terminated_means_exit",
    "tools_dir",
    "usable_cores",
]
