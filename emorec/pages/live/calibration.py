"""Settings of a person's calibration on the Live page: the baseline, and "Show it your face"."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from time import monotonic

import numpy as np
import streamlit as st

from emorec.calibration import examples
from emorec.calibration.examples import Corrector
from emorec.calibration.guide import HOLD_S, MOST_EXPRESSIONS, Guide
from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError, WorseError
from emorec.live.stream import LiveStream
from emorec.pages.live.connection import close_settings
from emorec.pages.live.layout import unseen
from emorec.pages.live.reader import NextReader
from emorec.pages.parts import naming
from emorec.pages.parts.language import worded
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import State, visit
from emorec.people import consent
from emorec.words import _

_EXPRESSIONS = tuple(name for name in EMOTIONS if name != "neutral")

_SCROLL_JS = """
let last = 0;
export default function ({ data }) {
  if (data.begun === last) return;
  last = data.begun;
  document.querySelector(".st-key-stage").scrollIntoView({ block: "nearest", behavior: "smooth" });
}
"""

_UNSEEN_S = 2.5  # without a reading: many times the usual gap


@dataclass
class OwnFace(State):
    """What the visitor shows now, and what came of it.

    Attributes:
        guide: collects the examples; None: nothing is shown now.
        says: one line on what came of the last ones; empty: there were none.
        refused: whether they were refused.
        unread: whether the line stands on the picture still.
        heard: when the guide's face was read last, by the media clock and by the monotonic one.
        begun: how often the visitor has begun.
        shown_by: the track that showed all of them; None: nothing is learned, it is kept already,
            or whose face it was cannot be told any more.
    """

    guide: Guide | None = None
    says: str = ""
    refused: bool = False
    unread: bool = False
    heard: tuple[float, float] = (0.0, 0.0)
    begun: int = 0
    shown_by: int | None = None


def show(stream: LiveStream, reader: NextReader, off: bool) -> None:
    """Let the visitor switch the baseline, and show examples of the own face.

    Args:
        stream: the visitor's live picture.
        reader: holds the calibration of the visitor.
        off: whether no single face is to be told apart, as with Group only.
    """
    own = visit().state(OwnFace)
    reader.calibration.baseline = st.toggle(
        _("Learn resting faces"),
        value=True,
        key="baseline",
        persist_state="session",
        help=_(
            "What is shown of each face is compared with its own face at rest, learned while it is"
            " in view, so that a resting face stays neutral and a slight change shows. Forgotten"
            " when the face has left."
        ),
    )
    reader.drop_foreign()
    if not stream.running:
        if own.guide is not None:
            _stop(reader, own)
        own.unread = False  # it would stand on the next picture
        own.shown_by = None  # the next stream numbers its faces from 1 again
    elif own.guide is not None and (why := _hidden(stream, off)):
        _stop(reader, own, why, refused=True)
    chosen = st.multiselect(
        _("Show it your face"),
        _EXPRESSIONS,
        format_func=_,
        key=worded("own expressions"),
        persist_state="session",
        max_selections=MOST_EXPRESSIONS,
        placeholder=_("One to three expressions to show"),
        disabled=off,
        help=_(
            "Alone in view, look neutral for three seconds, then hold each expression chosen. What"
            " is learned is numbers, no picture; it corrects what is shown of you, and after you"
            " have left the picture, of the only face in view. It is kept until this tab is closed."
        ),
    )
    start, forget = st.columns(2)
    start.button(
        _("Begin"),
        key="own begin",
        disabled=off or not chosen or not stream.running or own.guide is not None,
        width="stretch",
        on_click=_begin,
        args=(reader, own, chosen),
    )
    if forget.button(
        _("Forget"),
        key="own forget",
        disabled=reader.calibration.corrector is None,
        width="stretch",
    ):
        reader.calibration.corrector = reader.calibration.owner = own.shown_by = None
        own.says = ""
        st.rerun()
    if own.says:
        st.caption(_said(own))
    if own.shown_by is not None and not off:
        st.fragment(_keep, run_every=1.0)(stream, reader)


def guide(stream: LiveStream, reader: NextReader) -> None:
    """Say on the picture what face to show now, and afterwards what came of it."""
    own = visit().state(OwnFace)
    if own.guide is not None or own.unread:
        with st.container(key="guide"):
            _bring_into_view(own.begun)
            if own.guide is not None:
                st.fragment(_progress, run_every=0.5)(stream, reader)
            else:
                row = st.container(horizontal=True, vertical_alignment="center")
                row.markdown(_said(own))
                row.button(_("Close"), key="own close", on_click=_close, args=(own,))


def _bring_into_view(begun: int) -> None:
    """Scroll to the picture, once each time it begins; on a phone the settings are far below."""
    component = st.components.v2.component("emorec_guide", js=_SCROLL_JS)
    with unseen("guide begun"):
        component(key="guide begun", data={"begun": begun}, height=1)


def _begin(reader: NextReader, own: OwnFace, chosen: list[str]) -> None:
    own.guide = reader.calibration.watch = Guide(chosen)
    own.says, own.heard, own.begun = "", (0.0, monotonic()), own.begun + 1
    close_settings()  # they would hide the picture


def _close(own: OwnFace) -> None:
    own.unread = False


def _progress(stream: LiveStream, reader: NextReader) -> None:
    """Say what to show now, and learn from it when all was shown; runs again by itself."""
    own = visit().state(OwnFace)
    shown = own.guide
    if shown is None:
        return
    now = shown.progress
    if now.emotion is None:
        _stop(reader, own, *_learned(reader, own, shown))
        st.rerun()
    if not stream.live:
        _stop(reader, own)
        st.rerun()
    if why := _hidden(stream):
        _stop(reader, own, why, refused=True)
        st.rerun()
    if own.heard[0] != shown.read_s:
        own.heard = (shown.read_s, monotonic())
    if now.emotion == "neutral":
        looks = _("Look **neutral**, as at rest")
    else:
        looks = _("Hold **{emotion}**").format(emotion=_(now.emotion))
    if monotonic() - own.heard[1] > _UNSEEN_S:
        waits = _("no face is read; look at the camera")
    elif now.crowded:
        waits = _("waits until you are alone in view")
    elif now.prepares:
        waits = _("get ready, {seconds} s").format(seconds=ceil(now.seconds_left - HOLD_S))
    else:
        waits = f"{ceil(now.seconds_left)} s"
    place = _("{n} of {all}").format(n=shown.steps.index(now.emotion) + 1, all=len(shown.steps))
    row = st.container(horizontal=True, vertical_alignment="center")
    row.progress(now.share, f"{place} · {looks}: {waits}")
    if row.button(_("Cancel"), key="own cancel"):
        _stop(reader, own)
        st.rerun()


def _hidden(stream: LiveStream, off: bool = False) -> str | None:
    """Return why a picture that runs shows no face to learn from, and what to do; None: it does.

    Args:
        stream: the visitor's live picture.
        off: as of `show`.
    """
    if off:
        return _("Blur faces or Group only is on: switch it off, and begin again.")
    if stream.paused:
        return _("The picture is paused. Go on, and begin again.")
    return None


def _said(own: OwnFace) -> str:
    icon = ":material/error:" if own.refused else ":material/check_circle:"
    return f"{icon} {plain(own.says)}"


def _learned(reader: NextReader, own: OwnFace, guide: Guide) -> tuple[str, bool]:
    """Learn from what was shown; return one line for the visitor, and whether it was refused."""
    if guide.progress.problem:
        return _(guide.progress.problem), True
    model = reader.model
    try:
        learned = examples.learn_checked(model, np.array(guide.rows), guide.labels)
        reader.calibration.owner = guide.track_id
        own.shown_by = guide.track_id if guide.one_track else None
        reader.calibration.corrector = Corrector(learned, model)
    except WorseError as error:
        says = _(
            "Not used, as it would make it worse: right for {after} of your {n} readings with it,"
            " {before} without. Begin again, and hold each face until the next one is asked for."
        )
        return says.format(**error.values), True
    except EmorecError as error:
        return str(error), True
    says = _("Learned from {n} readings: {emotions}.").format(
        n=len(guide.labels), emotions=", ".join(map(_, learned.counts))
    )
    return says, False


def _keep(stream: LiveStream, reader: NextReader) -> None:
    """Offer to keep what was learned with the person who showed it, once recognised by name."""
    own = visit().state(OwnFace)
    corrector = reader.calibration.corrector
    if own.shown_by is None or corrector is None:
        return
    try:
        if not naming.offered():
            return
        names = stream.names
        person_id = names.person_of(own.shown_by) if names else None
        if names is None or person_id is None:
            if names:
                says = _(
                    "If you are enrolled on the People page, this can be kept with your name. It is"
                    " offered here once the app recognises the face that showed it."
                )
            else:
                says = _(
                    "If you are enrolled on the People page, this can be kept with your name:"
                    " switch **Names** on. It is offered here once the app recognises the face that"
                    " showed it."
                )
            st.caption(f":material/person: {says}")
            return
        name = names.of(own.shown_by) or ""
        st.markdown(f"> {_(consent.EXAMPLES_TEXT)}")
        agreed = st.checkbox(_("I agree"), key=f"own consent {person_id}")
        if st.button(
            _("Keep with {name}").format(name=plain(name)),
            key="own keep",
            disabled=not agreed,
            width="stretch",
        ):
            naming.gallery().keep_examples(person_id, corrector.examples, consent=agreed)
            own.says, own.shown_by = _("Kept with {name}.").format(name=name), None
            st.rerun()
    except EmorecError as error:
        st.caption(f":material/error: {plain(str(error))}")


def _stop(reader: NextReader, own: OwnFace, says: str = "", refused: bool = False) -> None:
    reader.calibration.watch = own.guide = None
    own.says, own.refused, own.unread = says, refused, bool(says)
