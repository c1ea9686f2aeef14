"""Kept sessions: whether they are offered, whose they are, and the store of this deployment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, ClassVar

import streamlit as st

from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.visit import State, visit
from emorec.words import _

if TYPE_CHECKING:  # it loads SQLAlchemy, for which no picture should wait
    from emorec.sessions.store import SessionStore

_COOKIE = "emorec_browser"
_ID = re.compile(r"[0-9a-f]{32}")
_DAYS = 400  # browsers keep no cookie for longer
_SHARED = "shared"
_NO_OWNER = "nobody"

# A script sets the cookie, since a page that runs can send no header any more.
_JS = """export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie =
    `${data.cookie}; Path=${data.path}; Max-Age=${data.age_s}; SameSite=Strict${secure}`;
}"""


@dataclass
class Browser(State):
    """The random id of this browser, which sessions without a login belong to.

    Attributes:
        id: 32 hexadecimal digits; None: it has none, as nothing was kept yet.
    """

    outlives_consent: ClassVar[bool] = True

    id: str | None = None


def offered() -> bool:
    """Return whether the deployer lets sessions be kept; `emorec run` does."""
    return deployment().sessions != "off"


def from_start() -> bool:
    """Return whether the deployer keeps every session from START on."""
    return deployment().sessions == "start"


def by_login() -> bool:
    """Return whether a session belongs to a login, and not to a browser."""
    return _login() is not None


def days() -> int:
    """Return after how many days a session is deleted."""
    return deployment().keep_days


def what() -> str:
    """Return what is kept of a session, in words for the people in view."""
    return _(
        "For {days} days: purpose, settings, markers, notes, and what the room "
        "showed in each second, in numbers. **No picture and no name.**"
    ).format(days=days())


@st.cache_resource(show_spinner=False)
def store() -> SessionStore:
    """Return the kept sessions of this deployment.

    Raises:
        EmorecError: the store cannot be used; the next call tries again.
    """
    from emorec.sessions.store import open_sessions

    return open_sessions(deployment())


def seen() -> str | None:
    """Return whose sessions this visitor sees; None: all."""
    if deployment().sessions_shared:
        return None
    return _login() or _browser().id or _NO_OWNER


def owner() -> str:
    """Return whose a session is that this visitor keeps; gives the browser an id if needed."""
    if deployment().sessions_shared:
        return _SHARED
    if login := _login():
        return login
    browser = _browser()
    browser.id = browser.id or token_hex(16)
    return browser.id


def remember() -> None:
    """Have the browser remember its id, if it was given one."""
    if not offered():
        return
    browser = _browser()
    if browser.id is None or deployment().sessions_shared or _login():
        return
    path = f"/{(deployment().base_url_path or '').strip('/')}"
    component = st.components.v2.component("emorec_browser", js=_JS)
    with st.container(key="unseen browser"):
        component(
            key="browser",
            data={"cookie": f"{_COOKIE}={browser.id}", "path": path, "age_s": _DAYS * 86400},
            height=1,
        )


def _browser() -> Browser:
    browser = visit().state(Browser)
    sent = str(st.context.cookies.get(_COOKIE, ""))
    if browser.id is None and _ID.fullmatch(sent):
        browser.id = sent
    return browser


def _login() -> str | None:
    """Return a digest of who is logged in: the store holds no login name."""
    if not st.user.get("is_logged_in"):
        return None
    who = f"{st.user.get('iss')} {st.user.get('sub')}"
    return f"login {sha256(who.encode()).hexdigest()}"
