"""A real Firefox for tests, driven over WebDriver BiDi, which Firefox speaks itself.

Playwright drives only a Firefox of its own make. This is a client of the few commands that a test
needs (W3C, "WebDriver BiDi").
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_START_S = 60.0
_ANSWER_S = 60.0
_PREFERENCES = {
    # A camera of Firefox's own that shows a moving pattern, allowed without a question.
    "media.navigator.streams.fake": "true",
    "media.navigator.permission.disabled": "true",
    # Browser and server are one machine here, without multicast DNS between them.
    "media.peerconnection.ice.obfuscate_host_addresses": "false",
    "media.peerconnection.ice.loopback": "true",
    "app.update.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "network.captive-portal-service.enabled": "false",
    "network.connectivity-service.enabled": "false",
}


class FirefoxError(Exception):
    """Firefox did not start, answered with an error, or a page did not become what was awaited."""


def firefox_path() -> str | None:
    """Return the installed Firefox; None: there is none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Tab:
    """The first tab of a Firefox that runs.

    Args:
        socket: leads to its WebDriver BiDi session.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._send("session.new", {"capabilities": {}})
        self._context = self._send("browsingContext.getTree", {})["contexts"][0]["context"]

    def open(self, url: str, size_wh: tuple[int, int] = (1366, 768)) -> None:
        """Open a page in a window of this size, and wait until it is loaded."""
        viewport = {"width": size_wh[0], "height": size_wh[1]}
        tab = {"context": self._context}
        self._send("browsingContext.setViewport", {**tab, "viewport": viewport})
        self._send("browsingContext.navigate", {**tab, "url": url, "wait": "complete"})

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, by way of JSON; a promise is awaited.

        Raises:
            FirefoxError: the expression threw.
        """
        given = {
            "expression": f"Promise.resolve({expression}).then((it) => JSON.stringify(it))",
            "target": {"context": self._context},
            "awaitPromise": True,
        }
        answer = self._send("script.evaluate", given)
        if answer["type"] != "success":
            raise FirefoxError(answer["exceptionDetails"]["text"])
        text = answer["result"].get("value")
        return None if text is None else json.loads(text)

    def until(self, expression: str, timeout_s: float = 90.0) -> Any:
        """Wait until an expression is truthy, and return its value.

        Raises:
            FirefoxError: it was not in time; the text holds what the page shows.
        """
        deadline = time.monotonic() + timeout_s
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                shown = self.evaluate("document.body.innerText")
                raise FirefoxError(f"not within {timeout_s:.0f} s: {expression}\n{shown}")
            time.sleep(0.3)
        return value

    def _send(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:  # events come between
            answer = json.loads(self._socket.recv(timeout=_ANSWER_S))
            if answer.get("id") == number:
                break
        if answer["type"] != "success":
            raise FirefoxError(f"{method}: {answer['message']}")
        return answer["result"]


@contextmanager
def running_firefox(profile: Path) -> Iterator[Tab]:
    """Run Firefox without a window; yields its tab.

    Args:
        profile: an empty folder, for its settings.

    Raises:
        FirefoxError: it did not start.
    """
    path = firefox_path()
    if path is None:
        raise FirefoxError("no Firefox is installed.")
    lines = (f'user_pref("{name}", {value});\n' for name, value in _PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    log = profile / "firefox.log"
    command = [path, "--headless", "--no-remote", "--profile", str(profile)]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--remote-debugging-port", "0"], stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + _START_S
        while not (told := re.search(r"BiDi listening on (ws://\S+)", log.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise FirefoxError(f"Firefox did not start:\n{log.read_text()}")
            time.sleep(0.2)
        with connect(f"{told[1]}/session", max_size=None) as socket:
            yield Tab(socket)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
