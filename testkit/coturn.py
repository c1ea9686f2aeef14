"""A real TURN server (coturn) on this machine, for tests and benchmarks."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from testkit.app import free_port


class TurnServer(NamedTuple):
    """A running coturn: its process, address, shared secret and log."""

    process: subprocess.Popen
    url: str
    secret: str
    log: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of an app that uses it."""
        return {"EMOREC_ICE_SERVERS": "", "TURN_URL": self.url, "TURN_SECRET": self.secret}


def turn_path() -> str | None:
    """Return the path of coturn's ``turnserver``; None if it is not installed."""
    return shutil.which("turnserver")


@contextmanager
def running_turn(folder: Path) -> Iterator[TurnServer]:
    """Run coturn with a shared secret on this machine's own address.

    Chromium gathers no candidates on the loopback address. Packets to the machine's own address
    still go through the loopback interface.

    Args:
        folder: for its log and its files.

    Raises:
        RuntimeError: it did not start within half a minute; the text holds its log.
    """
    host, port = _own_address(), free_port()
    secret, log = "a secret that stays on the server", folder / "turn.log"
    command = [turn_path() or "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--verbose"]
    command += [f"--listening-ip={host}", f"--relay-ip={host}", f"--listening-port={port}"]
    command += ["--allow-loopback-peers", "--use-auth-secret", f"--static-auth-secret={secret}"]
    command += ["--realm=emorec", "--relay-threads=1", f"--userdb={folder / 'turn.db'}"]
    command += [f"--pidfile={folder / 'turn.pid'}", "--simple-log", "--log-file=stdout"]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    deadline = time.monotonic() + 30
    try:
        while not _listens(host, port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"coturn did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield TurnServer(process, f"turn:{host}:{port}", secret, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # only selects a route (RFC 5737), sends nothing
        except OSError:  # the machine has no route
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
