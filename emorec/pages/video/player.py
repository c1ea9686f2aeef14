"""The component that plays the annotated video, and shows the moment that was chosen."""

from __future__ import annotations

import streamlit as st

from emorec.words import _

_HTML = """
<video controls playsinline preload="auto"></video>
<p hidden></p>
"""

_CSS = """
video { width: 100%; max-height: 60vh; background: #101418;
  border-radius: var(--st-base-radius); display: block; }
p { font-family: var(--st-font); color: var(--st-text-color); }
"""

_JS = """
export default function ({ data, parentElement }) {
  const video = parentElement.querySelector("video");
  const note = parentElement.querySelector("p");
  note.textContent = data.unplayable;
  video.onerror = () => { note.hidden = false; };
  if (video.dataset.source !== data.source) {
    video.dataset.source = data.source;
    video.dataset.chosen = "0";
    video.src = data.source;
  }
  if (video.dataset.chosen !== String(data.chosen)) {
    video.dataset.chosen = String(data.chosen);
    const show = () => { video.pause(); video.currentTime = data.at_s; };
    if (video.readyState) show();
    else video.addEventListener("loadedmetadata", show, { once: true });
  }
}
"""


def show(source: str, at_s: float, chosen: int) -> None:
    """Show the player.

    Args:
        source: address of the video.
        at_s: the moment to be shown, in seconds.
        chosen: how often a moment was chosen; 0: the video stays where it is.
    """
    component = st.components.v2.component("emorec_player", html=_HTML, css=_CSS, js=_JS)
    component(
        key="video player",
        data={
            "source": source,
            "at_s": at_s,
            "chosen": chosen,
            "unplayable": _(
                "This browser cannot play the video. It can still be downloaded below."
            ),
        },
    )
