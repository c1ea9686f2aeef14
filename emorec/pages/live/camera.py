"""Why the camera may not start: what the browser says of it, and what to do."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit_webrtc.config import Translations

from emorec.pages.parts.markdown import plain

_JS = """
let last = "";
export default function ({ setStateValue }) {
  const report = async () => {
    const media = navigator.mediaDevices;
    let permission = "unknown";
    let cameras = null;
    if (media) {
      cameras = (await media.enumerateDevices()).filter((d) => d.kind === "videoinput").length;
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
    const now = { secure: window.isSecureContext, permission, cameras };
    if (JSON.stringify(now) !== last) {
      last = JSON.stringify(now);
      setStateValue("state", now);
    }
  };
  report();
}
"""


def camera_problem() -> str | None:
    """Ask the browser and return what is wrong and what to do, or None if nothing is known."""
    check = st.components.v2.component("emorec_camera_check", js=_JS)
    answer = check(key="camera_check", height=1, on_state_change=lambda: None)
    state: dict[str, Any] | None = answer.state
    return camera_state_problem(state) if state else None


def camera_state_problem(state: dict[str, Any]) -> str | None:
    """Return what is wrong with a camera, and what to do.

    Args:
        state: ``secure`` (bool), ``permission`` and the number of ``cameras``, None if unknown.
    """
    if not state["secure"]:
        return NOT_SECURE
    if state["permission"] == "denied":
        return _DENIED
    if state["cameras"] == 0:
        return _NO_CAMERA
    return None


def start_problem(alert: str) -> str | None:
    """Return what is wrong with a camera that did not start, and what to do.

    Args:
        alert: what streamlit-webrtc's frame says: the name and the message of the browser's error
            (W3C, "Media Capture and Streams", `getUserMedia`), or a sentence of its own.
    """
    if not alert or alert.startswith("Connection"):  # of that, `NO_CONNECTION` tells
        return None
    name = alert.partition(":")[0]
    return _BY_ERROR.get(name) or f"**The camera did not start:** {plain(alert)}"


_DENIED = (
    "**The browser denies this page the camera.** Press the camera or lock sign beside "
    "the address, allow the camera, and load the page again."
)
_NO_CAMERA = (
    "**The browser finds no camera.** Plug one in or switch it on, and close other "
    "programs that may hold it."
)
_BUSY = "**The camera is busy.** Close the program or page that holds it, and press START again."
_BY_ERROR = {
    "NotAllowedError": _DENIED,
    "NotFoundError": _NO_CAMERA,
    "NotReadableError": _BUSY,
    "AbortError": _BUSY,
}

NOT_SECURE = (
    "**This page is not served over HTTPS**, and browsers give the camera to secure pages "
    "only. Open it with https://, or on the computer itself as http://localhost:8501."
)

NO_CONNECTION = (
    "**No picture has arrived within 10 seconds.** A firewall may stand between your browser and "
    "this server. Press STOP and START once more, or try another network. The connection check "
    "finds out which step fails."
)

TRANSLATIONS: Translations = {
    "start": "START",
    "stop": "STOP",
    "media_api_not_available": "This page is not served over HTTPS, so there is no camera.",
    "device_ask_permission": "Please allow the camera in your browser.",
    "device_not_available": "No camera found, or another program holds it.",
    "device_access_denied": "The browser denies this page the camera. See the advice below.",
}
"""What the START button's own frame says, in the page's words."""
