"""A PostgreSQL server for tests, with its data and its socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

_DEADLINE_S = 120
# A test's server may lose everything at a power cut.
_CHOICES = ("listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off")


def programs() -> Path | None:
    """Return the folder of Debian's newest server, or of the one on PATH; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def server() -> Iterator[str]:
    """Run a server; yield the address of its databases without their name."""
    bin_ = programs()
    if bin_ is None:
        raise RuntimeError("no PostgreSQL here: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="emorec-pg-") as name:
        folder = Path(name)
        log = (folder / "log").open("wb")
        # PostgreSQL refuses to run as root.
        user = _user() if os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, user, -1)
        data = str(folder / "data")
        how: dict[str, Any] = {"user": user, "stdout": log, "stderr": log, "cwd": folder}
        subprocess.run(
            [bin_ / "initdb", "-D", data, "-U", "emorec", "-A", "trust", "-E", "UTF8", "-N"],
            check=True,
            **how,
        )
        choices = [word for choice in _CHOICES for word in ("-c", choice)]
        process = subprocess.Popen([bin_ / "postgres", "-D", data, "-k", name, *choices], **how)
        try:
            _wait(process, name, folder / "log")
            yield f"postgres://emorec@/{{}}?host={name}"
        finally:
            process.send_signal(signal.SIGINT)  # ends the connections that are left, and itself
            try:
                process.wait(_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()


@contextmanager
def database(addresses: str) -> Iterator[str]:
    """Yield the address of a new, empty database."""
    name = f"t{uuid.uuid4().hex}"
    _run(addresses, f"CREATE DATABASE {name}")
    try:
        yield addresses.format(name)
    finally:
        _run(addresses, f"DROP DATABASE {name} WITH (FORCE)")


def _run(addresses: str, statement: str) -> None:
    with psycopg.connect(addresses.format("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def _wait(process: subprocess.Popen[bytes], socket: str, log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            psycopg.connect(host=socket, user="emorec", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")) from None
            time.sleep(0.1)
        else:
            return


def _user() -> int:
    names = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return names.get("postgres", names["nobody"])


def _version(program: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in program.parts[4].split(".") if part.isdigit())
