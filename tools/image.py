#!/usr/bin/env python3
"""Run the Dockerfile's steps without Docker: install, start, check the health, stop.

usage: image.py    works in a temporary folder with its own virtual environment

As in the image, the app runs as the Dockerfile's user, with read-only files and without this
machine's environment variables. Only the instructions that the Dockerfile uses are supported. Not
for Windows.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120

# The server answers before any page has run: this script runs a page, which loads the models.
PAGE = """
from streamlit.testing.v1 import AppTest
page = AppTest.from_string("from emorec.pages.photo import page; page.render()", default_timeout=60)
assert not page.run().exception, page.exception
import numpy as np
from emorec import EmotionRecognizer
EmotionRecognizer().analyze(np.zeros((120, 160, 3), np.uint8))
"""


class RehearsalError(Exception):
    """A step that failed, in one line."""


@dataclass
class Image:
    """The state of the image after the steps so far.

    Attributes:
        folder: stands for the image's root folder.
        environment: the variables set by ``ENV``.
        arguments: the variables set by ``ARG``, for the build steps only.
        place: the folder set by ``WORKDIR``.
        user: number of the user and of the group; None is root.
        health: the command of ``HEALTHCHECK``.
        start: the command of ``CMD``.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    place: Path = Path()
    user: tuple[int, int] | None = None
    health: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)

    @property
    def python(self) -> Path:
        """The image's own Python."""
        return self.folder / "python" / "bin" / "python"

    @property
    def path(self) -> str:
        """The search path: the image's Python first, nothing from this machine's user."""
        return f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin"


def main(argv: Sequence[str]) -> int:
    """Run all steps and return the exit code."""
    if argv:
        print(__doc__, file=sys.stderr)
        return 2
    # Not under a folder of root's alone: the image's user has to reach it.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            image = build(steps((ROOT / "Dockerfile").read_text(encoding="utf-8")), Path(folder))
            serve(image)
        except RehearsalError as error:
            print(f"image.py: {error}", file=sys.stderr)
            return 1
    print("The Dockerfile's steps work: it installs, starts, is healthy and stops.")
    return 0


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction with its arguments; continued lines are joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


def is_ignored(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Return whether .dockerignore excludes a path: the last matching pattern decides."""
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        for part in (path, *path.parents[:-1]):
            name = part.name if wanted.startswith("**/") else str(part)
            if fnmatch.fnmatchcase(name, wanted.removeprefix("**/")):
                ignored = not pattern.startswith("!")
    return ignored


def build(instructions: Iterator[tuple[str, str]], folder: Path) -> Image:
    """Run all steps up to the start.

    Raises:
        RehearsalError: a step fails, or its instruction is not supported.
    """
    image = Image(folder)
    for name, rest in instructions:
        print(f"{name} {rest}", flush=True)
        match name:
            case "FROM":
                venv.create(folder / "python", with_pip=True, symlinks=True)
            case "ENV":
                image.environment |= dict(part.split("=", 1) for part in shlex.split(rest))
            case "ARG":
                variable, _, default = rest.partition("=")
                image.arguments[variable] = os.environ.get(variable, default)
            case "WORKDIR":
                image.place = folder / rest.lstrip("/")
                image.place.mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, _ = shlex.split(rest)
                copy(sources, image.place)
            case "RUN":
                _run(image, rest)
            case "USER":
                user, group = map(int, rest.split(":"))
                image.user = (user, group)
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition(" CMD ")[2])
            case "CMD":
                image.start = json.loads(rest)
            case "EXPOSE":
                pass
            case _:
                raise RehearsalError(f"{name}: not rehearsed; teach tools/image.py to")
    return image


def copy(sources: Sequence[str], place: Path) -> None:
    """Copy files, or for ``.`` all files, except those that .dockerignore excludes."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for path in context(ROOT, patterns):
        name = str(path.relative_to(ROOT))
        if "." in sources or name in sources:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place / name)


def context(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Yield the files in a folder of the project that .dockerignore does not exclude."""
    for path in sorted(folder.iterdir()):
        name = path.relative_to(ROOT)
        ignored = is_ignored(PurePosixPath(name), patterns)
        if not path.is_dir():
            if not ignored:
                yield path
        elif not ignored or any(pattern.startswith(f"!{name}/") for pattern in patterns):
            yield from context(path, patterns)


def serve(image: Image) -> None:
    """Start the app like the image, wait until it is healthy, run a page, stop it like Docker.

    Raises:
        RehearsalError: it does not start, does not answer or does not stop.
    """
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(image.place)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        image.environment["PORT"] = str(free.getsockname()[1])
    as_user = prefix(image)
    environment = image.environment | {"PATH": image.path}
    app = subprocess.Popen([*as_user, *image.start], cwd=image.place, env=environment)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while _fails([*as_user, *image.health], image.place, environment, quiet=True):
            if app.poll() is not None or time.monotonic() > deadline:
                raise RehearsalError("CMD: no healthy app came of it; what it printed is above")
            time.sleep(0.5)
        if _fails([*as_user, "python", "-c", PAGE], image.place, environment):
            raise RehearsalError("a page cannot be run as the image's user; see above")
        app.send_signal(signal.SIGTERM)
        if app.wait(timeout=PATIENCE_S) not in (0, -signal.SIGTERM):
            raise RehearsalError(f"CMD: SIGTERM ended it with {app.returncode}")
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"CMD: SIGTERM did not end it within {PATIENCE_S} s") from None
    finally:
        app.kill()
        app.wait()


def prefix(image: Image) -> list[str]:
    """Return the prefix that runs a command as the image's user, who may not write the app's files.

    If this runs on a Python in root's own folder, another user cannot use it. Then root runs the
    app without the capability to override file permissions.
    """
    if os.geteuid() != 0 or image.user is None:
        return []
    user, group = image.user
    other = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
    if not _fails([*other, "sh", "-c", f"exec {image.python} -c ''"], image.place, {}, quiet=True):
        return other
    print("USER: cannot reach this Python; root without capabilities runs the app", flush=True)
    return ["setpriv", "--bounding-set=-all", "--no-new-privs"]


def _run(image: Image, script: str) -> None:
    # The settings of pip's package index are those of this machine.
    environment = os.environ | image.environment | image.arguments | {"PATH": image.path}
    if _fails(["sh", "-c", script], image.place, environment | {"PIP_QUIET": "1"}):
        raise RehearsalError(f"RUN {script}: failed; see above")


def _fails(
    command: Sequence[str], place: Path, environment: Mapping[str, str], quiet: bool = False
) -> bool:
    output = subprocess.DEVNULL if quiet else None
    return bool(subprocess.call(command, cwd=place, env=environment, stdout=output, stderr=output))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
