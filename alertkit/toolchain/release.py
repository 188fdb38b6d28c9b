"""Tools from the official release archives, or a mirror of them, checked against the published SHA-256 sums."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from alertkit.source import Problems
from alertkit.source.url import is_base_url, shown_url

OFFICIAL = "https://github.com"
# The versions that alertkit is tested with; pinned, so that the same alertkit fetches the same tools everywhere.
VERSIONS = {"prometheus": "3.5.3", "alertmanager": "0.33.1"}
_PROJECT = {"promtool": "prometheus", "prometheus": "prometheus", "amtool": "alertmanager",
            "alertmanager": "alertmanager"}  # fmt: skip
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7",
             "armv6l": "armv6", "i686": "386", "i386": "386", "ppc64le": "ppc64le", "s390x": "s390x",
             "riscv64": "riscv64"}  # fmt: skip
_TIMEOUT = (15, 60)  # seconds to connect, and between two pieces
_LARGEST = 1 << 30  # bytes of one unpacked program

# Called with what is fetched, bytes so far and bytes in all (0 if unknown).
Progress = Callable[[str, int, int], None]


def mirror_of(mirror: str | None) -> str:
    """The base URL to fetch from: the argument, else ALERTKIT_MIRROR, else the official one."""
    return (mirror or os.environ.get("ALERTKIT_MIRROR") or OFFICIAL).rstrip("/")


def machine() -> str | None:
    """This machine as the archives' names have it, e.g. `linux-amd64`; None when there are none for it."""
    system = platform.system().lower()
    arch = _MACHINES.get(platform.machine().lower())
    return f"{system}-{arch}" if arch and system in ("linux", "darwin", "freebsd", "openbsd", "netbsd") else None


def unpack(
    names: Sequence[str], into: Path, base: str, problems: Problems, progress: Progress
) -> dict[str, str] | None:
    """Fetch, check and unpack the archives of the tools `names`: `into/<folder>/bin/<name>`.

    Archives are looked for at `<base>/prometheus/<project>/releases/download/v<version>/`, as on the official site.
    Returns tool -> folder; None and a problem (AK610 to AK615) when one cannot be had.
    """
    target = machine()
    if target is None:
        problems.add("AK615", f"there are no official releases for {platform.system()} on {platform.machine()}",
                     help="build the tools yourself and set ALERTKIT_TOOLS to their folder")  # fmt: skip
        return None
    if not is_base_url(base):
        problems.add("AK610", f"the mirror `{shown_url(base)}` is not an http or https URL",
                     help="write it like https://mirror.example.com/github")  # fmt: skip
        return None
    placed: dict[str, str] = {}
    for project in sorted({_PROJECT[name] for name in names}):
        tools = [name for name in names if _PROJECT[name] == project]
        version = VERSIONS[project]
        folder = f"{'+'.join(sorted(tools))}-{version}-release"
        stem = f"{project}-{version}.{target}"
        archive = into / f".{stem}.tar.gz"
        url = f"{base}/prometheus/{project}/releases/download/v{version}"
        if not _fetch_checked(url, f"{stem}.tar.gz", archive, problems, progress):
            return None
        bin_ = into / folder / "bin"
        bin_.mkdir(parents=True)
        if not _extract(archive, tools, bin_, problems):
            return None
        archive.unlink()
        placed.update(dict.fromkeys(tools, folder))
    return placed


def _fetch_checked(base: str, name: str, into: Path, problems: Problems, progress: Progress) -> bool:
    sums = into.with_name(f"{into.name}.sums")
    if not _fetch(f"{base}/sha256sums.txt", sums, "sha256sums.txt", problems, lambda *_: None):
        return False
    match = re.search(rf"^([0-9a-fA-F]{{64}})[ *]+{re.escape(name)}$", sums.read_text("utf-8", "replace"), re.MULTILINE)
    sums.unlink()
    if match is None:
        problems.add("AK612", f"{shown_url(base)}/sha256sums.txt has no sum for {name}",
                     help="the mirror is incomplete: use another one, or the official releases")  # fmt: skip
        return False
    if not _fetch(f"{base}/{name}", into, name, problems, progress):
        return False
    with into.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != match[1].lower():
        problems.add(
            "AK612", f"{name} from {shown_url(base)} is not what was published: its SHA-256 is {found[:16]}..., "
            f"not {match[1].lower()[:16]}...",
            help="nothing was installed; try again, and do not trust this mirror if it happens again",
        )  # fmt: skip
        return False
    return True


def _fetch(url: str, into: Path, name: str, problems: Problems, progress: Progress) -> bool:
    import requests

    host = shown_url(url)
    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code != 200:
                problems.add("AK611", f"{host} answered {answer.status_code} {answer.reason or ''}".rstrip(),
                             help="is the mirror's address right, and does it hold this release?")  # fmt: skip
                return False
            total = int(answer.headers.get("Content-Length") or 0)
            done = 0
            with into.open("wb") as stream:
                for piece in answer.iter_content(1 << 16):
                    stream.write(piece)
                    done += len(piece)
                    progress(name, done, total)
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
        problems.add("AK614", f"the download of {host} was cut off", help="nothing was installed; try again")
        return False
    except requests.exceptions.Timeout:
        problems.add("AK610", f"{host} did not answer in time", help=_OFFLINE)
        return False
    except requests.exceptions.SSLError:
        problems.add("AK610", f"{host} has no certificate that this machine trusts",
                     help="set REQUESTS_CA_BUNDLE to your organisation's certificates")  # fmt: skip
        return False
    except (requests.exceptions.RequestException, ValueError):
        problems.add("AK610", f"{host} cannot be reached", help=_OFFLINE)
        return False
    except OSError as error:
        problems.add("AK616", f"{into.parent} cannot be written: {error.strerror or error}",
                     help="free some space, or set XDG_CACHE_HOME to a folder that you may write to")  # fmt: skip
        return False
    return True


_OFFLINE = (
    "check the network and its proxy (HTTPS_PROXY); without a network, name a mirror inside it with --mirror URL, "
    "or set ALERTKIT_TOOLS to a folder that holds the tools"
)


def _extract(archive: Path, tools: Sequence[str], into: Path, problems: Problems) -> bool:
    """Copy the programs out of the archive by content only: no path, link or mode of it is ever used."""
    missing = set(tools)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    problems.add("AK613", f"{archive.name[1:]} wants to write outside its folder: {member.name[:80]!r}",
                                 help="nothing was installed; do not trust this mirror")  # fmt: skip
                    return False
                if path.name not in missing or len(path.parts) > 2 or not member.isfile():
                    continue
                content = tar.extractfile(member)
                if content is None or member.size > _LARGEST:
                    continue
                target = into / path.name
                with target.open("wb") as stream:
                    while piece := content.read(1 << 20):
                        stream.write(piece)
                target.chmod(0o755)
                missing.discard(path.name)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            problems.add("AK616", f"{into} cannot be written: {error.strerror}", help="free some space")
        else:
            problems.add("AK613", f"the archive {archive.name[1:]} is damaged", help="nothing was installed; try again")
        return False
    if missing:
        problems.add("AK613", f"the archive {archive.name[1:]} has no {', '.join(sorted(missing))}",
                     help="the mirror is incomplete: use another one, or the official releases")  # fmt: skip
        return False
    return True
