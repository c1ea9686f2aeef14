"""The camera: which there are, which one is asked for, and why it may not start."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit_webrtc.config import Translations

from emorec.pages.parts.language import worded
from emorec.pages.parts.markdown import plain
from emorec.words import N_, _

_JS = """
let last = "";
export default function ({ setStateValue }) {
  const report = async () => {
    const media = navigator.mediaDevices;
    let permission = "unknown";
    let cameras = null;
    let named = [];
    if (media) {
      const found = (await media.enumerateDevices()).filter((d) => d.kind === "videoinput");
      cameras = found.length;
      // A browser tells the names once the page may use a camera.
      named = found.filter((d) => d.label).map((d) => ({ id: d.deviceId, name: d.label }));
      media.ondevicechange = report;
    }
    if (navigator.permissions) {
      try {
        const status = await navigator.permissions.query({ name: "camera" });
        permission = status.state;
        status.onchange = report;
      } catch {
        // Some browsers do not know the permission "camera"; START will tell.
        permission = "unknown";
      }
    }
    const now = {
      secure: window.isSecureContext,
      permission,
      cameras,
      named,
      touch: window.matchMedia("(pointer: coarse)").matches,
      screen: Boolean(media && media.getDisplayMedia),
    };
    if (JSON.stringify(now) !== last) {
      last = JSON.stringify(now);
      setStateValue("state", now);
    }
  };
  report();
}
"""

_CHECK = "camera_check"
_SOURCE = "source"

ANY, FRONT, BACK, SCREEN = "", "front", "back", "screen"
"""What can be asked for beside a camera's own id."""

_TITLES = {
    ANY: N_("Any camera"),
    FRONT: N_("Front camera"),
    BACK: N_("Back camera"),
    SCREEN: N_("A screen, window or tab"),
}


def camera_problem() -> str | None:
    """Ask the browser and return what is wrong and what to do, or None if nothing is known."""
    check = st.components.v2.component("emorec_camera_check", js=_JS)
    answer = check(key=_CHECK, height=1, on_state_change=lambda: None)
    state: dict[str, Any] | None = answer.state
    if state is None or (is_screen() and state["secure"]):
        return None
    return camera_state_problem(state)


def choose_source(locked: bool) -> None:
    """Let the visitor choose a camera by its name or side, or a screen.

    Args:
        locked: whether a picture runs, which keeps what it started with.
    """
    titles = _titles()
    # One that was unplugged: the browser takes another in its place.
    titles.setdefault(_source(), _("The camera chosen before"))
    st.selectbox(
        _("Camera"),
        list(titles),
        key=worded(_SOURCE),
        format_func=titles.__getitem__,
        persist_state="session",
        disabled=locked,
        help=_(
            "Takes effect at the next start. Browsers tell the names of cameras only to a page "
            "that was allowed to use one."
        ),
    )


def constraints() -> dict[str, Any]:
    """Return which camera the browser is asked for, as `getUserMedia` takes it."""
    source = _source()
    if source in (FRONT, BACK):
        return {"facingMode": {"ideal": "user" if source == FRONT else "environment"}}
    return {"deviceId": {"ideal": source}} if source not in (ANY, SCREEN) else {}


def is_screen() -> bool:
    """Return whether a screen is asked for in place of a camera."""
    return _source() == SCREEN


def mirrors() -> bool:
    """Return whether the chosen source may be shown as in a mirror: not one that faces away."""
    return _source() not in (BACK, SCREEN)


def _source() -> str:
    chosen: str = st.session_state.get(worded(_SOURCE), ANY)
    return chosen


def _known() -> dict[str, Any]:
    """Return what the browser has told of its cameras; empty before it has."""
    return (st.session_state.get(_CHECK) or {}).get("state") or {}


def _titles() -> dict[str, str]:
    """Return what can be chosen, by what is asked for, in words for the visitor."""
    state = _known()
    titles = {ANY: _(_TITLES[ANY])}
    if state.get("touch"):
        titles |= {side: _(_TITLES[side]) for side in (FRONT, BACK)}
    titles |= {camera["id"]: camera["name"] for camera in state.get("named", ())}
    if state.get("screen"):
        titles[SCREEN] = _(_TITLES[SCREEN])
    return titles


def camera_state_problem(state: dict[str, Any]) -> str | None:
    """Return what is wrong with a camera, and what to do.

    Args:
        state: ``secure`` (bool), ``permission`` and the number of ``cameras``, None if unknown.
    """
    if not state["secure"]:
        return _(NOT_SECURE)
    if state["permission"] == "denied":
        return _(_DENIED)
    if state["cameras"] == 0:
        return _(_NO_CAMERA)
    return None


def start_problem(alert: str) -> str | None:
    """Return what is wrong with a camera that did not start, and what to do.

    Args:
        alert: what streamlit-webrtc's frame says: the name and the message of the browser's error
            (W3C, "Media Capture and Streams", `getUserMedia`), or a sentence of its own.
    """
    if not alert or alert.startswith("Connection"):  # of that, `NO_CONNECTION` tells
        return None
    name, separator, _message = alert.partition(":")
    if is_screen():
        return _(_NO_SCREEN)
    if not separator:
        return f"{_('**The camera did not start.**')} {plain(alert)}"
    return _(_BY_ERROR.get(name, _OTHER))


_DENIED = N_(
    "**The browser denies this page the camera.** Press the camera or lock sign beside "
    "the address, allow the camera, and load the page again."
)
_NO_CAMERA = N_(
    "**The browser finds no camera.** Plug one in or switch it on, and close other "
    "programs that may hold it."
)
_BUSY = N_("**The camera is busy.** Close the program or page that holds it, and start again.")
_OTHER = N_(
    "**The camera did not start.** Choose another camera or picture size in the settings, and "
    "start again."
)
_NO_SCREEN = N_("**No screen was shared.** Start again, and choose a screen, a window or a tab.")
_BY_ERROR = {
    "NotAllowedError": _DENIED,
    "NotFoundError": _NO_CAMERA,
    "NotReadableError": _BUSY,
    "AbortError": _BUSY,
}

NOT_SECURE = N_(
    "**This page is not served over HTTPS**, and browsers give the camera to secure pages "
    "only. Open it with https://, or on the computer itself as http://localhost:8501."
)

NO_CONNECTION = N_(
    "**No picture has arrived within 10 seconds.** A firewall may stand between your browser and "
    "this server. Stop and start once more, or try another network. The connection check "
    "finds out which step fails."
)


def translations() -> Translations:
    """Return what the START button's own frame says, in the page's words."""
    return {
        "start": _("Start camera"),
        "stop": _("Stop"),
        "media_api_not_available": _("This page is not served over HTTPS, so there is no camera."),
        "device_ask_permission": _("Please allow the camera in your browser."),
        "device_not_available": _("No camera found, or another program holds it."),
        "device_access_denied": _("The browser denies this page the camera. See the advice below."),
    }
