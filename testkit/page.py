"""A page of a Streamlit app without a browser: it speaks to the server as a browser's tab does.

It speaks Streamlit's WebSocket protocol: it requests runs of the script, stores the elements that
come back, runs fragments again when they are due, and sets the values of widgets and components.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from socket import AF_INET
from typing import Any, TypeVar

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLsResponse
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

T = TypeVar("T")
_XSRF = "_streamlit_xsrf"


class PageError(Exception):
    """The page did not behave as expected; the text holds what it shows instead."""


class Page:
    """One open tab. Make it with `open`, end it with `close`."""

    def __init__(
        self, url: str, socket: websockets.ClientConnection, cookies: Mapping[str, str]
    ) -> None:
        self.runs = 0
        """Runs of the whole script that have ended."""
        self.changing = True
        """Whether a run goes on: some elements may be of the one before, others not there yet."""
        self._url = url
        self._socket = socket
        self.cookies = cookies
        """What the app, or a proxy before it, gave with the page."""
        self._session = ""
        self._answers: dict[str, FileURLsResponse] = {}
        self._elements: dict[tuple[int, ...], tuple[str, Element]] = {}
        self._touched: set[tuple[int, ...]] = set()
        self._announced: set[str] = set()
        self._page_hash = ""
        self._states: dict[str, WidgetState] = {}
        self._kept: dict[str, ForwardMsg] = {}
        self._again: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Condition()
        self._ended = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str, path: str = "", source: str | None = None) -> Page:
        """Open a page and ask for its first run, which `until` can wait for.

        Args:
            url: of the app, such as http://localhost:8501.
            path: of the page, such as ``photo``; the default page where empty.
            source: the address of this machine that it comes from, as 127.0.0.2; None: any.
        """
        cookies = await asyncio.to_thread(_cookies, url)
        token = cookies.get(_XSRF)
        cookie_header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        bound: dict[str, Any] = {"local_addr": (source, 0), "family": AF_INET} if source else {}
        socket = await websockets.connect(
            f"ws{url.removeprefix('http')}/_stcore/stream",
            origin=url,  # type: ignore[arg-type]
            subprotocols=["streamlit", token] if token else ["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": cookie_header},
            max_size=None,
            open_timeout=60,
            **bound,
        )
        page = cls(url, socket, cookies)
        await page._ask(path=path)
        return page

    async def close(self) -> None:
        """Close the tab, as a visitor does."""
        self._stop_fragments()
        self._reader.cancel()
        await self._socket.close()

    async def change(self, widget_id: str, value: Any) -> None:
        """Set a component's value and let the script run with it."""
        self._states[widget_id] = WidgetState(id=widget_id, json_value=json.dumps(value))
        await self._ask()

    async def upload(self, files: Mapping[str, bytes], timeout_s: float = 300) -> int:
        """Put files into the page's first uploader in place of those there, and wait for the run.

        Returns:
            How many of them the app took; what it refuses with an HTTP status it does not.
        """
        uploader = await self.until(self._uploader, timeout_s, "a file uploader")
        message, answer = BackMsg(), f"request {self.runs} {len(self._answers)}"
        message.file_urls_request.request_id = answer
        message.file_urls_request.session_id = self._session
        message.file_urls_request.file_names.extend(files)
        await self._socket.send(message.SerializeToString())
        urls = (await self.until(lambda: self._answers.get(answer), timeout_s, "a place")).file_urls
        state = WidgetState(id=uploader)
        for place, (name, content) in zip(urls, files.items(), strict=True):
            if await asyncio.to_thread(self._put_file, place.upload_url, name, content):
                state.file_uploader_state_value.uploaded_file_info.add(
                    name=name, size=len(content), file_id=place.file_id, file_urls=place
                )
        self._states[uploader] = state
        runs = self.runs
        await self._ask()
        await self.run_ended(runs, timeout_s)
        return len(state.file_uploader_state_value.uploaded_file_info)

    def _uploader(self) -> str | None:
        for _, element in self._elements.values():
            if element.WhichOneof("type") == "file_uploader":
                return str(element.file_uploader.id)
        return None

    def _put_file(self, path: str, name: str, content: bytes) -> bool:
        rim = "----a line that no picture holds"
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
        body = f"--{rim}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{rim}--\r\n".encode()
        headers = {"Content-Type": f'multipart/form-data; boundary="{rim}"'} | self.headers
        request = urllib.request.Request(f"{self._url}{path}", body, headers, method="PUT")
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError:
            return False
        return True

    async def send(self, message: bytes | str) -> None:
        """Send anything at all."""
        await self._socket.send(message)

    async def until(self, found: Callable[[], T | None], timeout_s: float | None, what: str) -> T:
        """Wait until something is found on the page, and return it; for ever without a time.

        Raises:
            PageError: it was not found in time, or the connection has ended.
        """
        async with self._changed:
            try:
                async with asyncio.timeout(timeout_s):
                    while (thing := found()) is None:
                        if self._ended:
                            raise PageError(f"{what}: the connection has ended. {self.said()}")
                        await self._changed.wait()
            except TimeoutError:
                raise PageError(f"{what}: not within {timeout_s:.0f} s. {self.said()}") from None
        return thing

    async def run_ended(self, after: int = 0, timeout_s: float = 60) -> None:
        """Wait until more than so many runs of the whole script have ended."""
        await self.until(lambda: self.runs > after or None, timeout_s, "a run of the page")

    def component(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """Return a component's widget id and its arguments; None while it is not shown."""
        for _, element in self._elements.values():
            if element.WhichOneof("type") == "component_instance":
                component = element.component_instance
                if component.component_name.endswith(name):
                    return component.id, json.loads(component.json_args)
        return None

    def data(self, name: str) -> dict[str, Any] | None:
        """Return what a component of version 2 was given; None while it is not shown."""
        for _, element in self._elements.values():
            if element.WhichOneof("type") == "bidi_component":
                component = element.bidi_component
                if component.component_name.endswith(name):
                    found: dict[str, Any] = json.loads(component.json)
                    return found
        return None

    def texts(self) -> list[str]:
        """Return the Markdown of every text, and the HTML of every `st.html`."""
        found = []
        for _, element in self._elements.values():
            if element.WhichOneof("type") == "markdown":
                found.append(str(element.markdown.body))
            elif element.WhichOneof("type") == "html":
                found.append(str(element.html.body))
        return found

    def progress(self) -> list[str]:
        """Return the text of each progress bar."""
        return [
            str(element.progress.text)
            for _, element in self._elements.values()
            if element.WhichOneof("type") == "progress"
        ]

    @property
    def session(self) -> str:
        """The id of this tab's session."""
        return self._session

    @property
    def headers(self) -> dict[str, str]:
        """What a request of this tab carries so that the app takes it for its own."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        token = self.cookies.get(_XSRF)
        return {"Cookie": cookies} | ({"X-Xsrftoken": token} if token else {})

    async def rerun(self) -> None:
        """Run the page again, and wait for the end of the run."""
        runs = self.runs
        await self._ask()
        await self.run_ended(runs)

    async def press(self, label: str) -> None:
        """Press a button and let the script run with it, if there is such a button."""
        for _, element in tuple(self._elements.values()):
            if element.WhichOneof("type") == "button" and element.button.label == label:
                pressed = WidgetState(id=element.button.id, trigger_value=True)
                self._states[pressed.id] = pressed
                await self._ask()
                del self._states[pressed.id]

    def shows_button(self, label: str) -> bool:
        """Return whether there is a button of this label."""
        return any(
            element.WhichOneof("type") == "button" and element.button.label == label
            for _, element in self._elements.values()
        )

    def metric(self, label: str) -> str | None:
        """Return what a metric shows; None while it is not shown."""
        for _, element in self._elements.values():
            if element.WhichOneof("type") == "metric" and element.metric.label == label:
                return str(element.metric.body)
        return None

    def alerts(self) -> list[str]:
        """Return the lines of every warning, error and note, and of exceptions."""
        lines = []
        for _, element in self._elements.values():
            if element.WhichOneof("type") == "alert":
                lines.append(str(element.alert.body))
            elif element.WhichOneof("type") == "exception":
                lines.append(f"{element.exception.type}: {element.exception.message}")
        return lines

    def said(self) -> str:
        """Return the page's messages in one line."""
        return " ".join(["The page says:", *(self.alerts() or ["nothing."])])

    async def _ask(self, path: str = "", fragment: str = "") -> None:
        message = BackMsg()
        run = message.rerun_script
        run.page_name, run.page_script_hash = path, self._page_hash
        run.widget_states.widgets.extend(self._states.values())
        run.fragment_id, run.is_auto_rerun = fragment, bool(fragment)
        run.context_info.url = f"{self._url}/{path}"
        run.context_info.timezone, run.context_info.locale = "UTC", "en"
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                message = ForwardMsg.FromString(data)
                if message.WhichOneof("type") == "ref_hash":
                    metadata, message = message.metadata, self._kept[message.ref_hash]
                    message.metadata.CopyFrom(metadata)
                elif message.metadata.cacheable:
                    self._kept[message.hash] = message
                async with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        except websockets.ConnectionClosed:
            pass
        finally:
            self._ended = True
            self._stop_fragments()
            async with self._changed:  # wakes those that wait: nothing more will come
                self._changed.notify_all()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
            self._session = message.new_session.initialize.session_id
            self._touched, self._announced, self.changing = set(), set(), True
        elif kind == "file_urls_response":
            self._answers[message.file_urls_response.response_id] = message.file_urls_response
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "delta":
            self._put(tuple(message.metadata.delta_path), message.delta)
        elif kind == "auto_rerun":
            fragment = message.auto_rerun.fragment_id
            self._announced.add(fragment)
            if fragment not in self._again:
                run = self._run_again(fragment, message.auto_rerun.interval)
                self._again[fragment] = asyncio.create_task(run)
        elif kind == "stop_auto_rerun":
            self._stop_fragments(set(message.stop_auto_rerun.fragment_ids))
        elif kind == "script_finished":
            self._finish(message.script_finished, set(message.metadata.run.fragment_ids))

    def _put(self, path: tuple[int, ...], delta: Delta) -> None:
        self._touched.add(path)
        if delta.WhichOneof("type") == "new_element":
            self._elements[path] = (delta.fragment_id, delta.new_element)
        else:
            self._elements.pop(path, None)

    def _finish(self, status: int, fragments: set[str]) -> None:
        self.changing = False
        if status == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.runs += 1
            self._elements = {k: v for k, v in self._elements.items() if k in self._touched}
            self._stop_fragments(set(self._again) - self._announced)
        elif status == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self._elements = {
                path: (fragment, element)
                for path, (fragment, element) in self._elements.items()
                if path in self._touched or fragment not in fragments
            }

    async def _run_again(self, fragment: str, interval_s: float) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.sleep(interval_s)
                await self._ask(fragment=fragment)

    def _stop_fragments(self, fragments: set[str] | None = None) -> None:
        for fragment in set(self._again) if fragments is None else fragments & set(self._again):
            self._again.pop(fragment).cancel()


def _cookies(url: str) -> dict[str, str]:
    """Return the cookies that a browser gets with the page, of the app and of a proxy before it."""
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=60) as answer:
        cookies: SimpleCookie = SimpleCookie()
        for line in answer.headers.get_all("Set-Cookie") or []:
            cookies.load(line)
    return {name: cookie.value for name, cookie in cookies.items()}
