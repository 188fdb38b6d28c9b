"""Compiling: start-up, 10,000 alerts from 100 files against a plain YAML load of their text, what is compiled again.

`python -m bench.compiling` prints the figures.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench.figure import Figure, against, in_turns
from bench.processes import environment, family, resident
from bench.specs import write_specs

ALERTS, FILES, MEGABYTES = 10_000, 100, 300
# A program that only loads texts, as PyYAML's users do; it says how long that took, without its own start.
_PLAIN = """
import sys, time, yaml
texts = [open(path, encoding="utf-8").read() for path in sys.argv[1:]]
begin = time.perf_counter()
loaded = [yaml.load(text, yaml.CSafeLoader) for text in texts]
print(time.perf_counter() - begin)
"""
# Files go to memory where there is such a place: 190 MB are written again and again, and a disk that writes them back
# disturbs whatever runs next.
_MEMORY = Path("/dev/shm")
# The least that any compiler does: it reads the specs with the places of their keys, and writes what is built.
_LEAST = """
import gc, sys, time
from pathlib import Path
from alertkit.source import Problems, load
from alertkit.source.digest import digest
gc.disable()
texts = {path: Path(path).read_text(encoding="utf-8") for path in sys.argv[2:]}
built = [path.read_bytes().decode() for path in sorted(Path("build").rglob("*.yml"))]
begin = time.perf_counter()
loaded = [load(text, path, Problems()) for path, text in texts.items()]
for index, text in enumerate(built):
    raw = text.encode()
    digest(raw)
    (Path(sys.argv[1]) / str(index)).write_bytes(raw)
print(time.perf_counter() - begin)
"""


class Bench:
    """A project in a temporary folder, with a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "project"
        self.specs = write_specs(self.root, ALERTS, FILES)
        self.env = environment(folder)
        # The same text as one: each file is one section of it.
        self.one = folder / "all.yaml"
        self.one.write_text("".join(map(_section, self.specs)), encoding="utf-8")
        self._edits = self._cleaned = 0
        self.cpu: list[float] = []  # seconds that each full compile used on all cores together

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout

    def alertkit(self, *arguments: str) -> str:
        return self.python("-m", "alertkit", *arguments)

    def clean(self) -> None:
        """Let there be no build; the old one is only moved, so that this takes no time."""
        build = self.root / "build"
        if build.exists():
            self._cleaned += 1
            build.rename(self.folder / f"old-{self._cleaned}")

    def sweep(self) -> None:
        """Remove what is left of earlier builds."""
        for old in self.folder.glob("old-*"):
            shutil.rmtree(old)

    def plain(self, *texts: Path) -> float:
        """Seconds of loading texts with PyYAML alone."""
        return float(self.python("-c", _PLAIN, *map(str, texts)))

    def full(self) -> None:
        self.clean()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.alertkit("compile", "--no-cache")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def one_changed(self) -> None:
        self._edits += 1
        spec = self.specs[self._edits % FILES]
        text = spec.read_text(encoding="utf-8")
        spec.write_text(
            re.sub(r"critical: \d+GiB", f"critical: {40 + self._edits}GiB", text, count=1), encoding="utf-8"
        )
        assert "(unchanged)" not in self.alertkit("compile")

    def least(self, *specs: str) -> float:
        """Seconds of reading all specs and writing the build once more, and of nothing else, on one core."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            return float(self.python("-c", _LEAST, folder, *specs))

    def nothing_changed(self) -> None:
        assert "(unchanged)" in self.alertkit("compile")

    def memory(self) -> tuple[float, float]:
        """Megabytes at the peak of a full compile: of its largest process, and of all together."""
        command = [sys.executable, "-m", "alertkit", "compile", "--no-cache"]
        process = subprocess.Popen(command, cwd=self.root, env=self.env, stdout=subprocess.DEVNULL)
        largest = together = 0.0
        waiting = threading.Event()
        while process.poll() is None:
            now = [resident(pid) for pid in family(process.pid)]
            largest, together = max([largest, *now]), max(together, sum(now))
            waiting.wait(0.01)
        assert process.returncode == 0
        return largest, together


def _section(spec: Path) -> str:
    lines = spec.read_text(encoding="utf-8").splitlines()
    return "\n".join([f"{spec.stem}:", *(f"  {line}" if line else "" for line in lines)]) + "\n"


def figures() -> list[Figure]:
    """What was measured, its figure, its target and how the two compare."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        bench = Bench(Path(folder))
        bench.full()  # bytecode is written, the disk is warm
        bench.full()
        empty, version = in_turns([lambda: bench.python("-c", ""), lambda: bench.alertkit("--version")], 15)
        one: list[float] = []
        single: list[float] = []
        least: list[float] = []
        paths = [str(path) for path in bench.specs]
        full, *_ = in_turns(
            [
                bench.full,
                bench.sweep,
                lambda: least.append(bench.least(*paths)),
                lambda: one.append(bench.plain(bench.one)),
                lambda: single.append(bench.plain(*bench.specs)),
            ],
            5,
        )
        bench.one_changed()  # the first one fills the cache
        again, _, changed, nothing = in_turns([bench.full, bench.sweep, bench.one_changed, bench.nothing_changed], 5)
        largest, together = bench.memory()
        size = sum(path.stat().st_size for path in bench.specs)
        loading, cores = statistics.median(one), os.cpu_count() or 1
    return [
        Figure(f"the input: {ALERTS:,} alerts, {FILES} files", f"{size / ALERTS:.0f} bytes an alert"),
        against("alertkit --version", version * 1000, 2 * empty * 1000, "ms", "twice an empty Python"),
        against("compile, everything", full, loading, "s", "yaml.load with CSafeLoader, one text"),
        against("compile, everything, again", full, statistics.median(single), "s", "yaml.load, a text for each file"),
        against(
            f"compile, everything, CPU time a core (of {cores})",
            statistics.median(bench.cpu) / cores,
            loading,
            "s",
            "the same",
        ),
        against(
            "reading specs, writing the build, nothing else, a core",
            statistics.median(least) / cores,
            loading,
            "s",
            "the same",
        ),
        against("compile, one file changed", changed, again / 10, "s", "a tenth of everything"),
        against("compile, nothing changed", nothing * 1000, 5 * empty * 1000, "ms", "five empty Pythons"),
        against("peak memory, largest process", largest, MEGABYTES, "MB", "limit"),
        Figure("peak memory, all processes, shared counted again", f"{together:.0f} MB"),
    ]


if __name__ == "__main__":
    for figure in figures():
        print(f"{figure.what:50} {figure.value:>20} {figure.target:>45} {figure.ratio:>6}")
