from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from testkit.page import Page, PageError


class Socket:
    """What the app sends, and what it was sent; the real one needs a running app."""

    def __init__(self, messages: list[ForwardMsg]) -> None:
        self.asked: list[BackMsg] = []
        self._messages = messages
        self.taken = asyncio.Event()
        self._over = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for message in self._messages:
            yield message.SerializeToString()
        self.taken.set()  # the page has taken every message
        await self._over.wait()

    async def send(self, data: bytes) -> None:
        self.asked.append(BackMsg.FromString(data))

    async def close(self) -> None:
        self._over.set()


def begin() -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.page_script_hash = "router"
    return message


def metric(place: int, value: str, fragment: str = "") -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend([0, place])
    message.delta.fragment_id = fragment
    message.delta.new_element.metric.label = f"m{place}"
    message.delta.new_element.metric.body = value
    return message


def end(*fragments: str) -> ForwardMsg:
    message = ForwardMsg()
    message.script_finished = (
        ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        if fragments
        else ForwardMsg.FINISHED_SUCCESSFULLY
    )
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def again(fragment: str) -> ForwardMsg:
    message = ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, 0.01
    return message


def shown(messages: list[ForwardMsg]) -> list[str | None]:
    async def look() -> list[str | None]:
        socket = Socket(messages)
        page = Page("http://localhost", socket, {})  # type: ignore[arg-type]
        await socket.taken.wait()
        seen = [page.metric(f"m{place}") for place in range(3)]
        await page.close()
        return seen

    return asyncio.run(look())


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([begin(), end()], [None, None, None]),
        ([begin(), metric(0, "a"), end()], ["a", None, None]),
        (  # a whole run forgets what it did not show
            [begin(), metric(0, "a"), metric(1, "b"), end(), begin(), metric(1, "c"), end()],
            [None, "c", None],
        ),
        (  # a fragment's run forgets its own only
            [
                *(begin(), metric(0, "a"), metric(1, "b", "f"), metric(2, "c", "f"), end()),
                *(begin(), metric(1, "d", "f"), end("f")),
            ],
            ["a", "d", None],
        ),
    ],
)
def test_elements_of_the_last_run(messages: list[ForwardMsg], expected: list[str | None]) -> None:
    assert shown(messages) == expected


def test_a_message_kept_comes_back_by_its_hash() -> None:
    kept, referred = metric(0, "a"), ForwardMsg()
    kept.hash, kept.metadata.cacheable = "abc", True
    referred.ref_hash = "abc"
    referred.metadata.delta_path.extend([0, 0])
    assert shown([begin(), kept, end(), begin(), referred, end()])[0] == "a"


def test_fragments_run_again_until_a_whole_run_leaves_them_out() -> None:
    async def look() -> tuple[set[str], int, int]:
        socket = Socket([begin(), again("f"), end()])
        page = Page("http://localhost", socket, {})  # type: ignore[arg-type]
        while len(socket.asked) < 2:
            await asyncio.sleep(0.01)
        page._take(begin())
        page._take(end())
        before = len(socket.asked)
        await asyncio.sleep(0.1)
        await page.close()
        asked = {run.rerun_script.fragment_id for run in socket.asked}
        return asked, before, len(socket.asked)

    asked, before, after = asyncio.run(look())
    assert asked == {"f"} and after == before


def test_a_value_is_sent_with_every_run_from_then_on() -> None:
    async def change() -> list[BackMsg]:
        socket = Socket([begin(), end()])
        page = Page("http://localhost", socket, {})  # type: ignore[arg-type]
        await page.change("a", {"playing": True})
        await page.change("b", 1)
        await page.close()
        return socket.asked

    first, second = asyncio.run(change())
    assert [state.id for state in first.rerun_script.widget_states.widgets] == ["a"]
    values = [json.loads(s.json_value) for s in second.rerun_script.widget_states.widgets]
    assert values == [{"playing": True}, 1]


def test_what_does_not_come_is_told_with_what_the_page_says() -> None:
    async def wait() -> None:
        alert = ForwardMsg()
        alert.metadata.delta_path.extend([0, 0])
        alert.delta.new_element.alert.body = "The room is full."
        page = Page("http://localhost", Socket([begin(), alert, end()]), {})  # type: ignore[arg-type]
        try:
            await page.until(lambda: None, 0.2, "a picture")
        finally:
            await page.close()

    with pytest.raises(PageError, match=r"a picture: not within 0 s\. .*The room is full\."):
        asyncio.run(wait())
