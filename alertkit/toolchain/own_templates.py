"""An alertmanager of Debian's that was only unpacked, made to read its own templates.

Uses the standard library alone, so that it also runs as a script before anything is installed:
`python3 own_templates.py FOLDER`, where FOLDER holds `bin/alertmanager` and `share/prometheus/alertmanager/`.
"""

from __future__ import annotations

import re
import shutil
import stat
import sys
from pathlib import Path

# Where Debian's program looks for its templates.
TEMPLATES = "/usr/share/prometheus/alertmanager"
_HELD_OPEN = "/proc/self/fd/9"

_WRAPPER = """\
#!/bin/sh
# Holds the folder of this alertmanager's templates open for it: see alertkit/toolchain/own_templates.py.
here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
exec 9<"$here/share/alertmanager"
exec "$here/libexec/alertmanager" "$@"
"""


def give_own_templates(folder: Path, templates: Path) -> None:
    """Let the unpacked `folder/bin/alertmanager` read the files in `templates`, which came with it.

    Debian's looks for them in a folder of /usr/share only, and does not start where the package is not installed
    (where another version is, it sends messages with parts missing). The folder's name inside the program is
    replaced by one of the same length that means the file descriptor 9 (surplus slashes do not count), on which a
    wrapper holds our folder open. A program that is built otherwise is left as it is, and so is one treated before.
    """
    program = folder / "bin" / "alertmanager"
    if not (templates / "default.tmpl").is_file():
        return
    raw = program.read_bytes()
    places = [m.start() for m in re.finditer(re.escape(TEMPLATES.encode()) + rb"(?![-/a-z]*(?:ui|tmpl))", raw)]
    if len(places) != 1:
        return
    padded = "/" * (len(TEMPLATES) - len(_HELD_OPEN)) + _HELD_OPEN
    libexec = folder / "libexec"
    libexec.mkdir()
    real = libexec / "alertmanager"
    real.write_bytes(raw[: places[0]] + padded.encode() + raw[places[0] + len(padded) :])
    mode = stat.S_IMODE(program.stat().st_mode)
    real.chmod(mode)
    shutil.copytree(templates, folder / "share" / "alertmanager", ignore=shutil.ignore_patterns("ui", "no-ui", "*.sh"))
    program.unlink()
    program.write_text(_WRAPPER, "utf-8")
    program.chmod(mode)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        give_own_templates(Path(name), Path(name) / "share" / TEMPLATES.removeprefix("/usr/share/"))
