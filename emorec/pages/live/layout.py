"""Where things stand on the Live page: one stage of fixed size, three slots, and a phone's order.

All sizes are known before the first picture, so nothing moves at START. The stage is streamlit-
webrtc's own frame. Its document comes from this server too, so the page's script may add a style to
it; otherwise START would stand at the top of the frame, and STOP at its bottom.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

Part = Literal["stage", "consent", "controls", "slots", "counts", "now", "minute"]
"""The parts of the page, in the order in which a phone shows them; the last three are the slots."""

NOW_PX = 300
"""Height of the slot that says what is seen now."""

_BUTTON_PX = 52  # START and its margin
_LEFT_PX = 210  # of the window's height, for all that stands above and below the picture
_LEAST_PX = 160
_TWO_COLUMNS_PX = 900  # narrower windows show one column

_STAGE_HEIGHT = f"max({_LEAST_PX}px, min(56.25cqw, 100vh - {_LEFT_PX}px))"

_PAGE = f"""
<style>
.stMainBlockContainer {{ padding-inline: clamp(1rem, 3vw, 5rem); }}
:has(> .st-key-title), :has(> [class*="st-key-unseen"]) {{
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}}
.st-key-stage {{ position: relative; container-type: inline-size; }}
.st-key-stage iframe {{
  height: calc({_STAGE_HEIGHT} + {_BUTTON_PX}px) !important;
}}
.st-key-stage > :has(iframe) {{ position: relative; z-index: 1; order: -1; }}
:has(> .st-key-example) {{
  position: absolute; inset: 0 0 auto 0; height: {_STAGE_HEIGHT}; pointer-events: none;
}}
.st-key-example * {{ height: 100% !important; }}
.st-key-example img {{ object-fit: cover; border-radius: 0.5rem; }}
.st-key-example::after {{
  content: "Example"; position: absolute; right: 0.75rem; bottom: 0.75rem; padding: 0.1rem 0.6rem;
  border-radius: 0.3rem; color: white; background: rgb(16 20 24 / 0.75); font-size: 0.9rem;
}}
.st-key-live {{ display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.75rem 2rem; }}
.st-key-live > * {{ min-width: 0; }}
.st-key-consent {{ padding-bottom: 0.5rem; }}
.st-key-consent p {{ margin: 0; }}
.st-key-counts {{ min-height: 7.125rem; }}
.st-key-counts [data-testid="stMetric"] {{ width: auto; }}
.st-key-rates [data-testid="stMetricLabel"] p {{ font-size: 0.8rem; opacity: 0.8; }}
.st-key-rates [data-testid="stMetricValue"] {{ font-size: 1.1rem; opacity: 0.8; }}
.emorec-rows {{ display: grid; gap: 0.4rem; }}
.emorec-rows > div {{
  display: grid; grid-template-columns: 2.2rem minmax(0, 9rem) minmax(3rem, 1fr) 3.2rem;
  align-items: center; gap: 0.6rem; font-size: 0.95rem; line-height: 1.7rem;
}}
.emorec-rows b, .emorec-room b {{ color: #101010; text-align: center; border-radius: 0.3rem; }}
.emorec-rows span {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.emorec-rows i {{ height: 0.8rem; border-radius: 0.2rem; background: rgb(128 128 128 / 0.25); }}
.emorec-rows i u {{ display: block; height: 100%; border-radius: 0.2rem; }}
.emorec-room {{ display: flex; gap: 2px; height: 1.75rem; }}
.emorec-room b {{ line-height: 1.75rem; min-width: 1.4rem; overflow: hidden; }}
.emorec-totals {{ margin: 0.4rem 0 0; min-height: 3.2em; }}
.emorec-totals i {{
  display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 0.35rem;
  margin-right: 0.25rem;
}}
@media (min-width: {_TWO_COLUMNS_PX}px) {{
  .st-key-live {{
    grid-template-columns: minmax(0, 1.85fr) minmax(0, 1fr);
    grid-template-rows: auto auto 1fr;
  }}
  .st-key-live > :has(> .st-key-slots) {{ grid-column: 2; grid-row: 1 / span 3; }}
}}
@media (max-width: {_TWO_COLUMNS_PX - 1}px) {{
  .st-key-live > :has(> .st-key-controls) {{ order: 2; }}
  .st-key-slots :has(> .st-key-now) {{ order: 2; }}
}}
</style>
"""

_PHONE_WHILE_LIVE = f"""
<style>
@media (max-width: {_TWO_COLUMNS_PX - 1}px) {{ .st-key-consent {{ display: none; }} }}
</style>
"""

_FRAME = """
html, body, #root {
  height: 100%; margin: 0; overflow: hidden; background: transparent !important;
}
#root > div { height: 100%; display: flex; flex-direction: column; }
#root > div > div { padding: 0; }
#root > div > div:nth-last-child(2) { flex: 1; min-height: 0; }
#root > div > div:last-child { height: 44px; margin-top: 8px; }
#root > div > [role="alert"] { display: none; }
#root > div > div > .MuiPaper-root { height: 100%; border-radius: 8px; }
#root > div > div > .MuiPaper-root:has(> svg) { background: transparent; }
#root > div > div > .MuiPaper-root > svg { visibility: hidden; }
"""
"""Style of the frame's document. Its alerts are hidden: the page says the same in its own words."""

_JS = """
let told = "";
let stop = () => {};

export default function ({ data, setStateValue }) {
  stop();
  const watchers = [];
  const watch = (element, changed) => {
    const watcher = new MutationObserver(changed);
    watcher.observe(element, { childList: true, subtree: true, characterData: true });
    watchers.push(watcher);
  };
  stop = () => watchers.forEach((watcher) => watcher.disconnect());
  const tell = (page) => {
    const alert = page.querySelector('#root > div > [role="alert"]');
    const text = alert ? alert.textContent : "";
    if (text !== told) setStateValue("alert", told = text);
  };
  const dress = (frame) => {
    const page = frame.contentDocument;
    if (!page || !page.body || frame.dressed === page) return;
    frame.dressed = page;
    if (!page.getElementById("emorec")) {
      const style = page.createElement("style");
      style.id = "emorec";
      style.textContent = data.css;
      page.head.append(style);
    }
    watch(page.body, () => tell(page));
    tell(page);
  };
  const dressAll = () => {
    for (const frame of stage.querySelectorAll("iframe")) {
      frame.onload = () => dress(frame);
      dress(frame);
    }
  };
  const stage = document.querySelector(".st-key-stage");
  if (!stage) return;
  for (const frame of stage.querySelectorAll("iframe")) frame.dressed = null;
  watch(stage, dressAll);
  dressAll();
}
"""

VIDEO_STYLE = {
    "width": "100%",
    "height": "100%",
    "objectFit": "contain",
    "borderRadius": "0.5rem",
    "background": "#101418",
}
"""Of the moving picture in its frame: whole, whatever its shape."""


def begin() -> None:
    """Give the page its title, which only a screen reader tells, and its styles."""
    st.html(_PAGE)
    with st.container(key="title"):
        st.title("Live")


def live_styles() -> None:
    """Take from a phone, while a picture runs, what was to be read before START."""
    st.html(_PHONE_WHILE_LIVE)


def dress_stage() -> str:
    """Have the frame that holds START and the picture fill the stage.

    Returns:
        What the frame would say of a camera or a connection that fails; "" while it says nothing.
    """
    component = st.components.v2.component("emorec_stage", js=_JS)
    with unseen("dressed stage"):
        answer = component(
            key="dressed_stage", data={"css": _FRAME}, height=1, on_alert_change=lambda: None
        )
    alert: str | None = answer.alert
    return alert or ""


def unseen(key: str) -> st.delta_generator.DeltaGenerator:
    """Return a container of what works without being seen, and takes no place."""
    return st.container(key=f"unseen {key}")
