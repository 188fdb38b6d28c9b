"""Tools that alertkit installed into the user's cache are found by tests as if they were on PATH."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

from alertkit.toolchain import find_all

_folders = dict.fromkeys(str(tool.path.parent) for tool in find_all().values() if tool is not None)
# The many processes that tests start find their bytecode, as they do where somebody works with alertkit.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), *_folders])

# A shell's background jobs ignore Ctrl-C, and so would all that is started and interrupted here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same of `nohup` and what it has ignored.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A busy machine is no failure, and the same examples run everywhere.
settings.register_profile("alertkit", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("alertkit")
