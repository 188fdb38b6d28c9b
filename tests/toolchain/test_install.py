"""Fetching tools: whole or not at all, from a mirror that serves what it likes and from apt."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alertkit.source import Problems
from alertkit.toolchain import TOOLS, cache_dir, find, install, offer_install, tools_dir
from alertkit.toolchain import apt as apt_module
from alertkit.toolchain.release import VERSIONS, machine

pytestmark = pytest.mark.skipif(machine() is None, reason="there are no official releases for this machine")

PROMETHEUS, ALERTMANAGER = VERSIONS["prometheus"], VERSIONS["alertmanager"]


class Mirror:
    """Pages by path; a page is a body, or (status, body, claimed length). `hold` blocks archives until it is set."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | tuple[int, bytes, int]] = {}
        self.asked: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                page = mirror.pages.get(self.path, (404, b"", 0))
                status, body, length = page if isinstance(page, tuple) else (200, page, len(page))
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                if self.path.endswith(".gz"):
                    mirror.hold.wait(30)
                try:
                    self.wfile.write(body[len(body) // 2 :])
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def publish(self, project: str, archive: bytes, sum_of: bytes | None = None) -> str:
        """Puts an archive and its sum where the official site has them; returns the archive's path."""
        version = VERSIONS[project]
        folder = f"/prometheus/{project}/releases/download/v{version}"
        name = f"{project}-{version}.{machine()}.tar.gz"
        digest = hashlib.sha256(archive if sum_of is None else sum_of).hexdigest()
        self.pages[f"{folder}/sha256sums.txt"] = f"{'0' * 64}  other.tar.gz\n{digest}  {name}\n".encode()
        self.pages[f"{folder}/{name}"] = archive
        return f"{folder}/{name}"


def archive(*names: str, prefix: str = "x-1.0", version: str = "1.2.3", script: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            body = (script or f"#!/bin/sh\necho '{name}, version {version} (branch: HEAD)'\n").encode()
            member = tarfile.TarInfo(f"{prefix}/{name}" if prefix else name)
            member.size, member.mode = len(body), 0o4777
            tar.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("ALERTKIT_TOOLS", raising=False)
    monkeypatch.delenv("ALERTKIT_MIRROR", raising=False)
    which = shutil.which
    monkeypatch.setattr("shutil.which", lambda name, path=None: None if name in ALL else which(name, path=path))
    mirror = Mirror()
    yield mirror
    mirror.close()


ALL = {*TOOLS, "prometheus-alertmanager"}


def left() -> list[str]:
    """All that is in the tools' folder."""
    return sorted(path.name for path in tools_dir().iterdir()) if tools_dir().exists() else []


def test_all_four(mirror: Mirror) -> None:
    mirror.publish("prometheus", archive("LICENSE", "promtool", "prometheus"))
    mirror.publish("alertmanager", archive("alertmanager", "amtool"))
    said: list[str] = []
    moved: list[tuple[str, int, int]] = []
    problems = Problems()
    done = install(
        TOOLS, problems, mirror=mirror.url + "/", say=said.append, progress=lambda *a: moved.append(a)
    )  # fmt: skip
    assert done is not None and problems == []
    assert [tool.name for tool in done.new] == list(TOOLS)
    assert said == [f"downloading from {mirror.url}"]
    assert {name.split("-")[0] for name, _, _ in moved} == {"prometheus", "alertmanager"}
    assert all(done <= total for _, done, total in moved)
    assert left() == [f"alertmanager+amtool-{ALERTMANAGER}-release", f"prometheus+promtool-{PROMETHEUS}-release"]
    for name in TOOLS:
        tool = find(name)
        assert tool is not None and tool.source == "cache" and tool.version == (1, 2, 3)
        assert tool.path.stat().st_mode & 0o7777 == 0o755
    asked = len(mirror.asked)
    again = install(TOOLS, problems, mirror=mirror.url)
    assert again is not None and len(again.there) == 4 and len(mirror.asked) == asked
    forced = install(["amtool"], problems, mirror=mirror.url, force=True)
    assert forced is not None and [tool.name for tool in forced.new] == ["amtool"]


def test_mirror_by_environment_and_a_new_version_replaces_the_old(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTKIT_MIRROR", mirror.url)
    mirror.publish("prometheus", archive("promtool", version="1.0.0"))
    assert install(["promtool"], Problems())
    monkeypatch.setitem(VERSIONS, "prometheus", "9.9.9")
    mirror.publish("prometheus", archive("promtool", version="9.9.9"))
    assert install(["promtool"], Problems(), force=True)
    assert left() == ["promtool-9.9.9-release"]
    tool = find("promtool")
    assert tool is not None and tool.version == (9, 9, 9)


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("nothing there", "AK611", "sha256sums.txt answered 404"),
        ("no archive", "AK611", ".tar.gz answered 404"),
        ("not in the sums", "AK612", "has no sum for"),
        ("wrong sum", "AK612", "is not what was published"),
        ("cut off", "AK614", "was cut off"),
        ("path traversal", "AK613", "outside its folder"),
        ("absolute path", "AK613", "outside its folder"),
        ("no program inside", "AK613", "has no promtool"),
        ("link instead of a program", "AK613", "has no promtool"),
        ("damaged", "AK613", "is damaged"),
        ("half an archive", "AK613", "is damaged"),
        ("does not run", "AK619", "does not run"),
    ],
)
def test_what_mirrors_do_wrong(mirror: Mirror, case: str, code: str, words: str) -> None:
    good = archive("promtool")
    path = mirror.publish("prometheus", good)
    if case == "nothing there":
        mirror.pages.clear()
    elif case == "no archive":
        del mirror.pages[path]
    elif case == "not in the sums":
        mirror.pages[str(Path(path).parent / "sha256sums.txt")] = b"<html>"
    elif case == "wrong sum":
        mirror.publish("prometheus", good, sum_of=b"other")
    elif case == "cut off":
        mirror.pages[path] = (200, good[:50], len(good))
    elif case == "path traversal":
        mirror.publish("prometheus", archive("promtool", "../../../evil"))
    elif case == "absolute path":
        mirror.publish("prometheus", archive("/tmp/promtool", prefix=""))
    elif case == "no program inside":
        mirror.publish("prometheus", archive("prometheus"))
    elif case == "link instead of a program":
        mirror.publish("prometheus", linked())
    elif case == "damaged":
        mirror.publish("prometheus", b"<html>not here</html>")
    elif case == "half an archive":
        mirror.publish("prometheus", archive("promtool", script=os.urandom(9999).hex())[:4000])
    elif case == "does not run":
        mirror.publish("prometheus", archive("promtool", script="#!/bin/sh\nexit 1\n"))
    problems = Problems()
    assert install(["promtool"], problems, mirror=mirror.url) is None
    assert [p.code for p in problems] == [code]
    assert words in problems[0].message
    assert left() == []
    assert find("promtool") is None


def linked() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("x/promtool")
        member.type, member.linkname = tarfile.SYMTYPE, "/bin/sh"
        tar.addfile(member)
    return buffer.getvalue()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://user:secret@127.0.0.1:1", "mirror", "http://["])
def test_no_mirror_there(mirror: Mirror, url: str) -> None:
    assert install(["promtool"], problems := Problems(), mirror=url) is None
    assert [p.code for p in problems] == ["AK610"]
    assert "secret" not in str(problems)


def test_a_folder_that_cannot_be_made(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert install(["promtool"], problems := Problems(), mirror=mirror.url) is None
    assert [p.code for p in problems] == ["AK616"]


def test_no_release_for_this_machine(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "mips")
    assert install(["promtool"], problems := Problems(), mirror=mirror.url) is None
    assert [p.code for p in problems] == ["AK615"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_in_the_middle_of_a_download(mirror: Mirror, number: signal.Signals) -> None:
    path = mirror.publish("prometheus", archive("promtool"))
    mirror.hold.clear()
    code = (
        "import sys; from alertkit.source import Problems; from alertkit.toolchain import install;"
        f"install(['promtool'], Problems(), mirror={mirror.url!r}, force=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
        wait_for(lambda: path in mirror.asked)
        child.send_signal(number)
        assert child.wait() != 0
    wait_for(lambda: left() == [])
    mirror.hold.set()


def wait_for(condition: object) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return
        pause.wait(0.01)
    raise AssertionError("it never came")


def test_an_offer_that_is_taken(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    mirror.publish("prometheus", archive("promtool", version="2.53.0"))
    tools = offer_install(["promtool"], problems := Problems(), mirror=mirror.url, ask=lambda question: True)
    assert problems == [] and tools is not None and tools["promtool"].source == "cache"
    assert capsys.readouterr().err == f"downloading from {mirror.url}\n"


def test_offline_says_so_for_both_ways(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package mirror without the tools, then official releases that cannot be reached."""
    monkeypatch.setattr(apt_module, "usable", lambda: True)
    monkeypatch.setattr(apt_module, "_PACKAGES", dict.fromkeys(TOOLS, ("alertkit-no-such-package",)))
    monkeypatch.setattr(apt_module._Apt, "update", lambda self: None)
    monkeypatch.setattr("alertkit.toolchain.release.OFFICIAL", "http://127.0.0.1:1")
    if shutil.which("apt-cache") is None:
        pytest.skip("this machine has no apt")
    said: list[str] = []
    assert install(["promtool"], problems := Problems(), say=said.append) is None
    assert [p.code for p in problems] == ["AK617", "AK610"]
    assert "trying the official releases" in said[1]
    assert left() == []


def test_from_the_real_package_mirror(mirror: Mirror) -> None:
    """The package that holds amtool, unpacked; its server starts where the package is not installed, too."""
    if not apt_module.usable():
        pytest.skip("this machine has no apt")
    troubles = Problems()
    into = cache_dir()
    into.mkdir(parents=True)
    from alertkit.toolchain import open_scratch, run

    with open_scratch(troubles, near=into) as scratch:
        assert scratch is not None
        placed = apt_module.unpack(["amtool", "alertmanager"], into, scratch, troubles, lambda line: None)
    if placed is None:
        pytest.skip(f"the package mirror cannot be had: {troubles[0].message}")
    folder = into / placed["alertmanager"]
    assert sorted(path.name for path in into.iterdir()) == [folder.name]
    for name in ("amtool", "alertmanager"):
        result = run([folder / "bin" / name, "--version"], troubles)
        assert result is not None and result.ok and "version" in result.text
    real = folder / "libexec" / "alertmanager"
    if real.exists():
        config = into / "am.yml"
        config.write_text("route: {receiver: x}\nreceivers: [{name: x}]\n")
        templates = folder / "share" / "alertmanager" / "default.tmpl"
        templates.write_text("{{ broken")
        command = [
            folder / "bin" / "alertmanager", f"--config.file={config}", f"--storage.path={into / 'data'}",
            "--cluster.listen-address=", "--web.listen-address=127.0.0.1:0",
        ]  # fmt: skip
        result = run(command, troubles, timeout=20)
        assert result is not None and "failed to parse templates" in result.text  # it reads ours, not the system's
