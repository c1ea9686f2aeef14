"""The connection check: each step between the visitor's camera and this server, one row a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time_ns
from typing import Any, Literal, NamedTuple

import streamlit as st

from emorec.live.ice import has_relay
from emorec.live.stream import LiveStream
from emorec.pages.live.camera import NOT_SECURE, camera_state_problem
from emorec.pages.parts.visit import State, visit
from emorec.words import N_, _

_JS = """
const PATIENCE_MS = 8000;
let run = null;
let answered = null;

export default function ({ data, setStateValue }) {
  if (data.run !== run) {
    run = data.run;
    check(data, (answer) => data.run === run && setStateValue("answer", answer));
  } else if (data.heard === run && answered) {
    answered();
    answered = null;
  }
}

async function check({ run, rtc }, say) {
  const answer = { run, secure: window.isSecureContext, permission: "unknown", cameras: null };
  const media = navigator.mediaDevices;
  if (media) {
    const devices = await media.enumerateDevices();
    answer.cameras = devices.filter((device) => device.kind === "videoinput").length;
  }
  if (navigator.permissions) {
    try {
      answer.permission = (await navigator.permissions.query({ name: "camera" })).state;
    } catch {
      // Some browsers do not know the permission "camera".
      answer.permission = "unknown";
    }
  }
  const asked = performance.now();
  const heard = new Promise((resolve) => { answered = resolve; });
  say({ ...answer });
  await heard;
  answer.signalling_ms = Math.round(performance.now() - asked);
  const lists = (kind) => rtc.iceServers
    .map((server) => ({ ...server, urls: server.urls.filter((url) => url.startsWith(kind)) }))
    .filter((server) => server.urls.length);
  [answer.stun, answer.turn] = await Promise.all([
    gather(lists("stun:"), "srflx", "all"),
    gather(lists("turn"), "relay", "relay"),
  ]);
  say(answer);
}

async function gather(iceServers, type, iceTransportPolicy) {
  if (!iceServers.length) return { found: false, over: null, errors: [] };
  const peer = new RTCPeerConnection({ iceServers, iceTransportPolicy });
  const errors = [];
  try {
    return await new Promise((resolve) => {
      const end = (found, over = null, whole = false) =>
        resolve({ found, over, whole, errors: [...new Set(errors)] });
      peer.onicecandidate = ({ candidate }) => {
        if (candidate && candidate.type === type) end(true, candidate.relayProtocol || null);
      };
      peer.onicecandidateerror = (event) => errors.push(event.errorCode);
      peer.onicegatheringstatechange = () => {
        if (peer.iceGatheringState === "complete") end(false, null, true);
      };
      setTimeout(end, PATIENCE_MS, false);
      peer.createDataChannel("check");
      peer.createOffer().then((offer) => peer.setLocalDescription(offer));
    });
  } finally {
    peer.close();
  }
}
"""

POPOVER = "settings"
"""Key of the popover that the check is in; its value says whether it is open."""

_KEY = "connection_check"
_PATIENCE = N_("Wait a moment: this takes up to eight seconds.")
_SIGNS = {
    "good": ":green[:material/check_circle:]",
    "bad": ":red[:material/error:]",
    "note": ":gray[:material/info:]",
    "wait": ":gray[:material/hourglass_top:]",
}


class Row(NamedTuple):
    """One thing that must work, whether it does, and what to do."""

    state: Literal["good", "bad", "note", "wait"]
    title: str
    says: str

    @property
    def text(self) -> str:
        """The row as Markdown."""
        return f"{_SIGNS[self.state]} **{_(self.title)}:** {self.says}"


@dataclass
class ConnectionCheck(State):
    """The check that the visitor asked for last.

    Attributes:
        run: tells it from the checks before; None: none was asked for.
        answer: what the browser has found so far.
    """

    run: str | None = None
    answer: dict[str, Any] = field(default_factory=dict)


def connection_check(stream: LiveStream, rtc: dict[str, Any], active: bool) -> None:
    """Show the check; it asks the browser nothing before the visitor presses its button.

    Args:
        stream: the visitor's live picture, whose pictures say whether media flow.
        rtc: the configuration that the live picture connects with.
        active: whether START was pressed.
    """
    st.markdown(_("**Connection check**"))
    st.fragment(_check)(stream, rtc, active)


def open_check() -> None:
    """Open the popover that the check is in; a callback, as the popover may be there already."""
    st.session_state[POPOVER] = True


def close_settings() -> None:
    """Close the settings; a callback."""
    st.session_state[POPOVER] = False


def _check(stream: LiveStream, rtc: dict[str, Any], active: bool) -> None:
    st.caption(_("Finds out which step between your camera and this server fails, and what helps."))
    state = visit().state(ConnectionCheck)
    if st.button(_("Check the connection"), icon=":material/play_arrow:"):
        state.run, state.answer = str(time_ns()), {}
    run, answer = state.run, state.answer
    if run is None:
        return
    check = st.components.v2.component("emorec_connection_check", js=_JS)
    check(
        key=_KEY,
        data={"run": run, "rtc": rtc, "heard": answer.get("run")},
        height=1,
        on_answer_change=_hear,
    )
    with st.container(border=True, gap="small"):
        for row in rows(answer, rtc, pictures(stream, active)):
            st.markdown(row.text)


def _hear() -> None:
    """Keep the browser's answer before the page is drawn: the browser waits until it is echoed.

    A callback runs before a run of the whole page as well as before a run of the fragment.
    """
    heard = st.session_state[_KEY]["answer"]
    state = visit().state(ConnectionCheck)
    if heard and heard["run"] == state.run:
        state.answer = heard


def pictures(stream: LiveStream, active: bool) -> float | None:
    """Return how many of the camera's pictures arrive a second; None before START is pressed."""
    if not active:
        return None
    return stream.shown_per_s if stream.running and stream.result is not None else 0.0


def rows(answer: dict[str, Any], rtc: dict[str, Any], arriving: float | None) -> list[Row]:
    """Return what the browser's answer means, in the order in which a picture travels.

    Args:
        answer: empty before there is one; without ``stun`` and ``turn`` while these are asked.
        rtc: the configuration that was asked.
        arriving: pictures a second, or None.
    """
    titles = (N_("Secure page"), "Camera", N_("Signalling"), "STUN", "TURN", N_("Media"))
    if not answer:
        return [*(Row("wait", title, "…") for title in titles[:-1]), _media(arriving)]
    spoke = answer.get("signalling_ms")
    return [
        Row("good", "Secure page", _("the browser may give this page the camera."))
        if answer["secure"]
        else Row("bad", "Secure page", _(NOT_SECURE)),
        _camera(answer),
        Row("wait", "Signalling", "…")
        if spoke is None
        else Row("good", "Signalling", _("this server answered within {ms} ms.").format(ms=spoke)),
        _stun(answer.get("stun"), rtc),
        _turn(answer.get("turn"), rtc),
        _media(arriving),
    ]


def _camera(answer: dict[str, Any]) -> Row:
    if problem := camera_state_problem(answer | {"secure": True}):
        return Row("bad", "Camera", problem)
    if not answer["secure"]:
        return Row("note", "Camera", _("no page that is not secure gets to see it."))
    if answer["permission"] == "granted":
        return Row("good", "Camera", _("there is one, and this page may use it."))
    return Row("note", "Camera", _("there is one; the browser asks you when you press START."))


def _stun(found: dict[str, Any] | None, rtc: dict[str, Any]) -> Row:
    if not any(url.startswith("stun:") for server in rtc["iceServers"] for url in server["urls"]):
        return Row("note", "STUN", _("no server is set: enough on one computer or network."))
    if found is None:
        return Row("wait", "STUN", _(_PATIENCE))
    # A computer that no router hides finds nothing new to tell, and no fault either.
    if found["found"] or (found["whole"] and not found["errors"]):
        return Row("good", "STUN", _("the browser learns how it is seen from outside."))
    return Row(
        "bad",
        "STUN",
        _(
            "no answer. A firewall on your side may block UDP: try another network. Where TURN"
            " works, the picture comes all the same."
        ),
    )


def _turn(found: dict[str, Any] | None, rtc: dict[str, Any]) -> Row:
    if not has_relay(rtc["iceServers"]):
        return Row(
            "note",
            "TURN",
            _(
                "no server is set. Between strict firewalls no picture comes without one; whoever "
                "runs this server can add it (TURN_URL)."
            ),
        )
    if found is None:
        return Row("wait", "TURN", _(_PATIENCE))
    if found["found"]:
        over = found["over"]
        says = _("a relay is ready over {protocol}.") if over else _("a relay is ready.")
        return Row("good", "TURN", says.format(protocol=(over or "").upper()))
    if 401 in found["errors"]:
        return Row(
            "bad",
            "TURN",
            _(
                "the relay refuses this server's password. Whoever runs this server: compare "
                "TURN_PASSWORD or TURN_SECRET with the relay's, and both clocks."
            ),
        )
    return Row(
        "bad",
        "TURN",
        _(
            "no relay answered. Try another network. Whoever runs this server: call `emorec"
            " doctor`, and offer the relay on port 443 too (turns:…:443)."
        ),
    )


def _media(arriving: float | None) -> Row:
    if arriving is None:
        return Row("note", "Media", _("press START, then check again."))
    if arriving:
        return Row(
            "good",
            "Media",
            _("{n} pictures a second are shown.").format(n=f"{arriving:.0f}"),
        )
    return Row(
        "bad",
        "Media",
        _("no picture arrives. If STUN and TURN are not both red, press STOP and START once more."),
    )
