#!/usr/bin/env python3
"""Set EmoRec up, then run it or its checks, on Linux, macOS and Windows alike.

usage: dev.py run                     start the web app
       dev.py test [-- PYTEST…]       the checks, and every test that is not marked long
       dev.py test-long [-- PYTEST…]  the tests that are marked long
       dev.py lint                    the checks without the tests
       dev.py notebook                open the notebook
       dev.py notebook-run            run the notebook, and save its output

What follows -- goes to pytest.
Needs only Python's standard library: everything else is installed once, into the folder .venv.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
REQUIREMENTS = {
    "run": ("requirements.txt",),
    "test": (
        "requirements.txt",
        "requirements-batch.txt",
        "requirements-lsl.txt",
        "requirements-people.txt",
        "requirements-train.txt",
        "requirements-dev.txt",
    ),
}
COMMANDS = ("run", "test", "test-long", "lint", "notebook", "notebook-run")
NOTEBOOK = "notebooks/emotion_recognition.ipynb"
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "pyproject.toml"),
)

SERVERS = {"coturn": "turnserver", "postgresql": "initdb"}
"""Servers that some tests need: Debian's package, and the program in it."""
LONG_SERVERS = {**SERVERS, "caddy": "caddy", "firefox-esr": "firefox-esr"}
"""Those and what the long tests need beside them."""

POSTGRESQL = Path("/usr/lib/postgresql")

BROWSER_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_PLACES = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": tuple(
        f"{os.environ.get(variable)}/Google/Chrome/Application/chrome.exe"
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
    ),
}


class SetupError(Exception):
    """A problem that stops the set-up, in one line."""


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    command, rest = (argv[0], list(argv[1:])) if argv else ("", [])
    if command not in COMMANDS or (rest and command not in ("test", "test-long")):
        print(__doc__, file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036 (an older one may well start this file)
        have = ".".join(map(str, sys.version_info[:3]))
        print(f"EmoRec needs Python 3.11 or newer; this is {have}.", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    try:
        if command == "run":
            install("run")
            return start([venv_program("emorec"), "run"])
        install("test")
        if command == "notebook":
            return start([venv_program("python"), "-m", "notebook", NOTEBOOK])
        if command == "notebook-run":
            return start([venv_program("python"), "-m", "tools.notebook"])
        if command == "lint":
            return lint()
        arguments = rest[1:] if rest[:1] == ["--"] else rest
        return test_long(arguments) if command == "test-long" else test(arguments)
    except SetupError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def install(group: str) -> None:
    """Install a group of `REQUIREMENTS` into .venv; do nothing if nothing has changed."""
    make_venv()
    stamp = VENV / f"installed-{group}.txt"
    wanted = fingerprint([ROOT / name for name in (*REQUIREMENTS[group], "pyproject.toml")])
    if _text(stamp) == wanted:
        return
    print(f"Installing what `{group}` needs into .venv: some minutes the first time …", flush=True)
    files = [part for name in REQUIREMENTS[group] for part in ("-r", name)]
    pip = [venv_program("python"), "-m", "pip", "install", "--quiet", *files]
    _run(pip, "the packages could not be installed; pip says why above")
    # The package itself, editable, so that what is edited is what runs.
    _run([*pip[:5], "--no-deps", "--editable", "."], "EmoRec could not be installed; see above")
    stamp.write_text(wanted, encoding="utf-8")


def make_venv() -> None:
    """Make .venv; make it again if another Python made it or the project was moved."""
    maker = VENV / "made-by.txt"
    wanted = f"Python {sys.version_info[0]}.{sys.version_info[1]} at {ROOT}"
    if _text(maker) == wanted and Path(venv_program("python")).exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "this Python cannot make .venv; on Debian and Ubuntu: apt install python3-venv"
        )
    print("Making .venv …", flush=True)
    venv.create(VENV, with_pip=True, clear=True, symlinks=os.name != "nt")
    maker.write_text(wanted, encoding="utf-8")


def fingerprint(files: Sequence[Path]) -> str:
    """Return a hash of the files' names and contents."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def venv_program(name: str) -> str:
    """Return the path of a program inside .venv."""
    return str(VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name)


def start(command: list[str]) -> int:
    """Run a program in place of this one, or wait for it and return its exit code."""
    if os.name == "nt":
        return _call(command)
    # Signals then reach the program itself, and none is left behind.
    os.execv(command[0], command)


def lint() -> int:
    """Run ruff, mypy and import-linter, all at once, and return the worst exit code.

    Each says what it found when all before it in `CHECKS` have done so.
    """
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        return max([_say(*done) for done in pool.map(_check, CHECKS)])


def _check(command: Sequence[str]) -> tuple[int, str]:
    """Return a check's exit code and all that it says."""
    program, *rest = command
    done = subprocess.run(
        [venv_program(program), *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return abs(done.returncode), done.stdout


def _say(code: int, said: str) -> int:
    print(said, end="", flush=True)
    return code


def test(arguments: Sequence[str]) -> int:
    """Run the checks, then pytest with the arguments, and return the worst exit code.

    Without arguments pytest runs every test that is not long, two files at a time.
    """
    # tests/conftest.py says which tests stay together and which of them come first.
    together = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    checks = lint()
    return max(checks, run_pytest(arguments or together))


def test_long(arguments: Sequence[str]) -> int:
    """Run the tests that are marked long, one at a time, since some count pictures a second."""
    return run_pytest(["-m", "long", *arguments], LONG_SERVERS)


def run_pytest(arguments: Sequence[str], needed: Mapping[str, str] | None = None) -> int:
    """Run pytest with the browser and the servers that its tests need; return its exit code."""
    servers(SERVERS if needed is None else needed)
    environment = {**os.environ, **browser()}
    return _call([venv_program("python"), "-m", "pytest", *arguments], environment)


def browser() -> dict[str, str]:
    """Return the environment variable that names the tests' browser; install one if necessary.

    ``EMOREC_BROWSER`` is a program's path, or empty for Playwright's own. The result is empty if
    no browser can be installed: the browser tests are then skipped, except under ``CI=true``.

    Raises:
        SetupError: no browser can be installed, and this is CI.
    """
    if "EMOREC_BROWSER" in os.environ:
        return {}
    if found := find_browser():
        return {"EMOREC_BROWSER": found}
    if is_debian() and _is_root():
        print("Installing Chromium for the browser tests …", flush=True)
        if _apt(["chromium", "fonts-liberation"]) and (found := find_browser()):
            return {"EMOREC_BROWSER": found}
    # Playwright's --with-deps asks for a password where the user is not root.
    libraries = ["--with-deps"] if sys.platform == "linux" and _is_root() else []
    playwright = [venv_program("python"), "-m", "playwright", "install", *libraries, "chromium"]
    if _call(playwright) == 0:
        return {"EMOREC_BROWSER": ""}
    if os.environ.get("CI") == "true":
        raise SetupError("no browser for the tests: install Chromium or Chrome, and put it on PATH")
    print("No browser: the browser tests are skipped. Install Chromium or Chrome.", flush=True)
    return {}


def servers(needed: Mapping[str, str]) -> None:
    """Install the missing ones of these packages, if this is Debian and the user is root.

    Otherwise the tests that need one are skipped, except under ``CI=true``.
    """
    missing = [package for package, program in needed.items() if not _is_installed(program)]
    if missing and is_debian() and _is_root():
        print(f"Installing {' and '.join(missing)} for the tests …", flush=True)
        _apt(missing)
    elif missing:
        print(f"Not installed: {', '.join(missing)}. The tests of them are skipped.", flush=True)


def find_browser(path: str | None = None, platform: str = sys.platform) -> str | None:
    """Return the path of a Chromium or Chrome: on PATH (or ``path``), else in its usual place."""
    for command in BROWSER_COMMANDS:
        found = shutil.which(command, path=path)
        if found and not is_snap(Path(found)):
            return found
    places = BROWSER_PLACES.get(platform, ())
    return next((place for place in places if Path(place).exists()), None)


def is_snap(program: Path) -> bool:
    """Say whether a program is a snap, which cannot see the tests' temporary files."""
    with program.open("rb") as file:
        beginning = file.read(4096)
    return "/snap/" in program.as_posix() or (beginning[:2] == b"#!" and b"/snap/" in beginning)


def is_debian(release: Path = Path("/etc/os-release")) -> bool:
    """Say whether this is Debian itself: its relatives' Chromium is often a snap."""
    return "ID=debian" in (_text(release) or "").splitlines()


def _is_installed(program: str) -> bool:
    # Debian keeps PostgreSQL's own programs off PATH.
    places = [os.environ.get("PATH", ""), *map(str, POSTGRESQL.glob("*/bin"))]
    return shutil.which(program, path=os.pathsep.join(places)) is not None


def _apt(packages: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages]
    return not (_call(["apt-get", "-qq", "update"], environment) or _call(install, environment))


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _call(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    with subprocess.Popen(command, env=environment) as process:
        try:
            return abs(process.wait())  # negative where a signal ended it
        except KeyboardInterrupt:
            process.wait()  # it was interrupted too, and tidies up
            raise


def _run(command: Sequence[str], otherwise: str) -> None:
    if _call(command) != 0:
        raise SetupError(otherwise)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
