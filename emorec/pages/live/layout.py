"""Where things stand on the Live page: one stage of fixed size, three slots, and a phone's order.

All sizes are known before the first picture, so nothing moves at START. The stage is streamlit-
webrtc's own frame. Its document comes from this server too, so the page's script (`script`) may add
a style to it, and choose the camera that it asks for.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import streamlit as st

from emorec.pages.live.script import JS
from emorec.words import _

Part = Literal["stage", "consent", "controls", "slots", "counts", "now", "minute", "report"]
"""The parts of the page, in the order in which a phone shows them. Three are the slots; the report
stands in place of all but the controls."""

NOW_PX = 300
"""Height of the slot that says what is seen now."""

_BUTTON_PX = 52  # START and its margin
_HEADER_PX = 68  # of Streamlit's own bar, which lies over a page that is scrolled, and a gap
_LEFT_PX = 230  # of the window's height, for all that stands above and below the picture
_LEAST_PX = 160
_TWO_COLUMNS_PX = 900  # narrower windows show one column
_START_PX = 168  # width kept for START, beside which the other buttons stand
_MOOD_PX = 88  # the mood in words, and its chart: kept before there is one
_STRIP_PX = 64  # height of the totals below a picture that fills the screen

_STAGE_HEIGHT = f"max({_LEAST_PX}px, min(56.25cqw, 100vh - {_LEFT_PX}px))"

_PAGE = f"""
<style>
.stMainBlockContainer {{ padding-inline: clamp(1rem, 3vw, 5rem); }}
:has(> .st-key-title), :has(> [class*="st-key-unseen"]) {{
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}}
.st-key-stage {{
  position: relative; container-type: inline-size; scroll-margin-top: {_HEADER_PX}px;
}}
.st-key-stage iframe {{
  display: block; height: calc({_STAGE_HEIGHT} + {_BUTTON_PX}px) !important;
}}
.st-key-stage > :has(iframe) {{ position: relative; z-index: 1; order: -1; }}
/* The picture's place is kept until its frame has come: nothing else stands there meanwhile. */
.st-key-stage:has(> * > .st-key-actions) > :first-child {{
  min-height: calc({_STAGE_HEIGHT} + {_BUTTON_PX}px);
}}
:has(> .st-key-example), :has(> .st-key-tag) {{
  position: absolute; inset: 0 0 auto 0; height: {_STAGE_HEIGHT}; pointer-events: none;
}}
:has(> .st-key-tag) {{ z-index: 2; }}
.st-key-example * {{ height: 100% !important; }}
.st-key-example img {{ object-fit: cover; border-radius: 0.5rem; }}
:has(> .st-key-actions) {{
  position: absolute; z-index: 2; top: calc({_STAGE_HEIGHT} + 8px); left: {_START_PX}px; right: 0;
  width: auto !important;
}}
.st-key-actions {{
  height: {_BUTTON_PX - 8}px; display: grid; justify-content: start; gap: 0.5rem;
  grid-auto-flow: column; grid-auto-columns: minmax(0, 10rem); align-items: center;
}}
.st-key-actions > *, .st-key-actions * {{ width: 100%; }}
.st-key-actions button, .st-key-actions a {{ white-space: nowrap; justify-content: center; }}
.st-key-actions button *, .st-key-actions a * {{ width: auto; }}
.st-key-actions [data-testid="stPageLink"] a {{
  border: 1px solid rgb(128 128 128 / 0.4); border-radius: 0.5rem; padding: 0.35rem 0.75rem;
  margin: 0; min-height: 2.5rem;
}}
@container (max-width: 1000px) {{
  /* Five of them fit, so none grows narrower as the next one arrives. */
  .st-key-actions:has(.st-key-pause) {{ grid-auto-columns: minmax(0, 7.5rem); }}
  .st-key-actions.st-key-actions :has(> [data-testid="stIconMaterial"]),
  .st-key-actions.st-key-actions [data-testid="stIconMaterial"] {{ display: none; }}
  .st-key-actions button, .st-key-actions a {{ padding-inline: 0.3rem !important; }}
}}
.emorec-tag, .st-key-example::after {{
  position: absolute; right: 0.75rem; bottom: 0.75rem; margin: 0;
  padding: 0.1rem 0.6rem; border-radius: 0.3rem; color: white; background: rgb(16 20 24 / 0.8);
  font-size: 0.9rem; line-height: 1.6; pointer-events: none; max-width: calc(100% - 1.5rem);
}}
.st-key-example::after {{ content: var(--emorec-example); height: auto; }}
:has(> .st-key-guide) {{
  position: absolute; z-index: 3; inset: 0 0 auto 0; height: {_STAGE_HEIGHT};
  display: flex; flex-direction: column; justify-content: flex-end; pointer-events: none;
}}
.st-key-guide {{
  flex: none; height: auto; padding: 0.4rem 0.75rem; border-radius: 0 0 0.5rem 0.5rem;
  pointer-events: auto; color: white; background: rgb(16 20 24 / 0.85);
}}
.st-key-guide [data-testid="stElementContainer"]:has([data-testid="stProgress"]),
.st-key-guide [data-testid="stElementContainer"]:has([data-testid="stMarkdown"]) {{
  flex: 1; min-width: 0;
}}
.st-key-guide [data-testid="stMarkdownContainer"] p {{ color: white; font-size: 1.1rem; }}
.st-key-guide button {{ color: white; background: transparent; border-color: white; }}
@media (max-width: 640px) {{
  /* Else the words cover the face that is to be shown. */
  .st-key-guide {{ padding: 0.2rem 0.5rem; }}
  .st-key-guide [data-testid="stMarkdownContainer"] p {{ font-size: 0.85rem; line-height: 1.25; }}
  .st-key-guide button {{ padding-inline: 0.5rem; }}
}}
.st-key-live {{ display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.75rem 2rem; }}
.st-key-live > * {{ min-width: 0; }}
.st-key-live > :has(> .st-key-report), .st-key-live > :has(.st-key-full) {{
  grid-column: 1 / -1;
}}
.st-key-full {{
  min-height: 15rem; padding: 1rem; align-items: center;
  border: 1px dashed rgb(128 128 128 / 0.5); border-radius: 0.5rem;
}}
.st-key-full > * {{ max-width: 40rem; }}
.st-key-mood {{ min-height: {_MOOD_PX}px; }}
.st-key-report h2:focus {{ outline: none; }}
.st-key-consent {{ padding-bottom: 0.5rem; }}
.st-key-consent p {{ margin: 0; }}
.st-key-counts {{ min-height: 7.125rem; }}
@media (min-width: {_TWO_COLUMNS_PX}px) {{
  /* A second line below the counts, as on a busy computer, moves nothing. */
  .st-key-counts {{ max-height: 7.125rem; }}
}}
.st-key-counts [data-testid="stMetric"] {{ width: auto; }}
.st-key-rates [data-testid="stMetricLabel"] p {{ font-size: 0.8rem; opacity: 0.8; }}
.st-key-rates [data-testid="stMetricValue"] {{ font-size: 1.1rem; opacity: 0.8; }}
.emorec-rows {{ display: grid; gap: 0.4rem; }}
.emorec-rows > div {{
  display: grid; grid-template-columns: 2.2rem minmax(0, 9rem) minmax(3rem, 1fr) 3.2rem;
  align-items: center; gap: 0.6rem; font-size: 0.95rem; line-height: 1.7rem;
}}
.emorec-room b {{ color: #101010; text-align: center; border-radius: 0.3rem; }}
.emorec-rows button, .emorec-seats button {{
  color: #101010; border: 0; font: inherit; font-weight: 700; padding: 0; cursor: pointer;
}}
.emorec-rows button {{ border-radius: 0.3rem; line-height: inherit; }}
.emorec-rows span {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.emorec-rows i {{ height: 0.8rem; border-radius: 0.2rem; background: rgb(128 128 128 / 0.25); }}
.emorec-rows i u {{ display: block; height: 100%; border-radius: 0.2rem; }}
.emorec-room {{ display: flex; gap: 2px; height: 1.75rem; }}
.emorec-room b {{ line-height: 1.75rem; min-width: 1.4rem; overflow: hidden; }}
.emorec-totals {{ margin: 0.4rem 0 0; min-height: 3.2em; }}
.emorec-totals i, .emorec-strip i {{
  display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 0.35rem;
  margin-right: 0.25rem;
}}
.emorec-seats {{
  position: relative; height: 7rem; border: 1px solid rgb(128 128 128 / 0.5);
  border-radius: 0.5rem; margin: 0;
}}
.emorec-seats button {{
  position: absolute; width: 1.5rem; height: 1.5rem; margin: -0.75rem; border-radius: 0.75rem;
  font-size: 0.75rem; line-height: 1.5rem;
}}
.emorec-mood {{ margin: 0; font-size: 0.9rem; line-height: 1.2; }}
.st-key-now:has(.emorec-room) {{ gap: 0.4rem; }}
.emorec-all {{
  background: none; color: inherit; border: 1px solid rgb(128 128 128 / 0.4);
  border-radius: 0.5rem; padding: 0.15rem 0.6rem; cursor: pointer; font: inherit;
}}
[data-face]:focus-visible {{ outline: 2px solid currentColor; outline-offset: 1px; }}
.st-key-slots :has(> .st-key-strip) {{ display: none; }}
.emorec-strip {{
  display: flex; gap: 1.5rem; align-items: center; height: {_STRIP_PX}px; font-size: 1.6rem;
  white-space: nowrap; overflow: hidden;
}}
.st-key-live:fullscreen {{
  display: block; padding: 0; overflow: hidden; background: #101418; color: white;
}}
.st-key-live:fullscreen > :not(:has(> .st-key-stage, > .st-key-slots)),
.st-key-live:fullscreen .st-key-slots :not(:has(.st-key-strip), .st-key-strip, .st-key-strip *),
.st-key-live:fullscreen :has(> .st-key-actions) {{ display: none; }}
.st-key-live:fullscreen .st-key-slots :has(.st-key-strip) {{ display: block; }}
.st-key-live:fullscreen .st-key-strip {{ padding-inline: 1rem; }}
.st-key-live:fullscreen .st-key-stage {{ height: calc(100vh - {_STRIP_PX}px); overflow: hidden; }}
.st-key-live:fullscreen .st-key-stage iframe {{
  height: calc(100vh - {_STRIP_PX}px + {_BUTTON_PX}px) !important;
}}
.st-key-live:fullscreen :has(> .st-key-tag) {{ height: calc(100vh - {_STRIP_PX}px); }}
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
  /* Before START the hint comes first, as high as it is. */
  .st-key-slots.st-key-slots:not(:has(.st-key-strip)) :has(> .st-key-now [data-testid="stAlert"]) {{
    order: -1; flex: none; height: auto;
  }}
}}
@media (max-width: 640px) {{
  :has(> .st-key-actions) {{ left: 124px; }}
  .st-key-actions {{ gap: 0.3rem; grid-auto-columns: minmax(0, 7rem); }}
  :has(> .st-key-actions .st-key-pause) {{ left: 80px; }}
  .st-key-actions.st-key-actions:has(.st-key-pause) {{ grid-auto-columns: minmax(0, 3.2rem); }}
  .st-key-actions.st-key-actions:has(.st-key-pause) [data-testid="stIconMaterial"] {{
    display: inline-block;
  }}
  .st-key-actions.st-key-actions:has(.st-key-pause) :has(> [data-testid="stIconMaterial"]) {{
    display: flex;
  }}
  .st-key-actions kbd {{ display: none; }}
  .st-key-actions:has(.st-key-pause) [data-testid="stMarkdownContainer"] {{
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }}
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
#root > div > div { padding: 0; flex: 1; min-height: 0; }
#root > div > div:has(> div > button) { flex: none; height: 44px; margin-top: 8px; }
#root > div > [role="alert"], #root > div > div > button { display: none; }
#root > div > div > .MuiPaper-root { height: 100%; border-radius: 8px; }
#root > div > div > .MuiPaper-root:has(> svg) { background: transparent; }
#root > div > div > .MuiPaper-root > svg { visibility: hidden; }
#root > div > div > div > button {
  height: 44px; padding: 0 20px; font-size: 17px; text-transform: none; border-radius: 8px;
  white-space: nowrap;
}
@media (max-width: 640px) { #root > div > div > div > button { padding: 0 10px; font-size: 16px; } }
"""
"""Style of the frame's document. Its alerts are hidden: the page says the same in its own words.
So is its choice of a device, as the settings have one."""

VIDEO_STYLE = {
    "width": "100%",
    "height": "100%",
    "objectFit": "contain",
    "borderRadius": "0.5rem",
    "background": "#101418",
}
"""Of the moving picture in its frame: whole, at any aspect ratio."""


def begin() -> None:
    """Give the page its title, which only a screen reader tells, and its styles."""
    st.set_page_config(page_title=f"EmoRec · {_('Live')}")
    example = json.dumps(_("Example"), ensure_ascii=False)
    st.html(f"{_PAGE}<style>.st-key-example {{ --emorec-example: {example}; }}</style>")
    with st.container(key="title"):
        st.title(_("Live"))


def live_styles() -> None:
    """Take from a phone, while a picture runs, what was to be read before START."""
    st.html(_PHONE_WHILE_LIVE)


def dress_stage(
    video: dict[str, Any], screen: bool, report: str | None, follow: Any, lost: Any
) -> str:
    """Run the page's script: see `emorec.pages.live.script`.

    Args:
        video: what the browser's camera is asked for.
        screen: whether a screen is asked for instead.
        report: tells the report that is shown from those before, to which the focus moves once;
            None: none is shown.
        follow: called with the number of the face that was chosen; 0: all faces.
        lost: called when the camera or the screen has ended by itself, as one that is unplugged.

    Returns:
        What the frame would say of a camera or a connection that fails; "" while it says nothing.
    """
    component = st.components.v2.component("emorec_stage", js=JS)
    key = "dressed_stage"
    with unseen("dressed stage"):
        answer = component(
            key=key,
            data={"css": _FRAME, "video": video, "screen": screen, "report": report},
            height=1,
            on_alert_change=lambda: None,
            on_follow_change=lambda: follow(st.session_state[key]["follow"]),
            on_lost_change=lost,
        )
    alert: str | None = answer.alert
    return alert or ""


def tell(text: str) -> None:
    """Have a screen reader tell what has changed, when it has nothing else to say."""
    component = st.components.v2.component(
        "emorec_told",
        html='<p role="status" aria-live="polite"></p>',
        js="""export default function ({ data, parentElement }) {
          const status = parentElement.querySelector("p");
          if (status.textContent !== data.text) status.textContent = data.text;
        }""",
    )
    with unseen("told"):
        component(key="told", data={"text": text}, height=1)


def unseen(key: str) -> st.delta_generator.DeltaGenerator:
    """Return a container of what works without being seen, and takes no place."""
    return st.container(key=f"unseen {key}")
