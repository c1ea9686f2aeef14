"""Settings of a person's calibration on the Live page: the baseline, and "Show it your face"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from emorec.calibration import examples
from emorec.calibration.examples import Corrector
from emorec.calibration.guide import MOST_EXPRESSIONS, Guide
from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.live.stream import LiveStream
from emorec.pages.live.reader import NextReader
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import State, visit
from emorec.words import _

_EXPRESSIONS = tuple(name for name in EMOTIONS if name != "neutral")


@dataclass
class OwnFace(State):
    """What the visitor shows now, and what came of it.

    Attributes:
        guide: collects the examples; None: nothing is shown now.
        says: one line on what came of the last ones; empty: there were none.
        refused: whether they were refused.
    """

    guide: Guide | None = None
    says: str = ""
    refused: bool = False


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
    if own.guide is not None:
        if stream.running:
            st.fragment(_progress, run_every=0.5)(reader)
            return
        _stop(reader, own)
    chosen = st.multiselect(
        _("Show it your face"),
        _EXPRESSIONS,
        format_func=_,
        key="own expressions",
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
    if start.button(
        _("Begin"),
        key="own begin",
        disabled=off or not chosen or not stream.running,
        width="stretch",
    ):
        own.guide, own.says = Guide(chosen), ""
        reader.calibration.watch = own.guide
        st.rerun()
    if forget.button(
        _("Forget"),
        key="own forget",
        disabled=reader.calibration.corrector is None,
        width="stretch",
    ):
        reader.calibration.corrector = reader.calibration.owner = None
        own.says = ""
        st.rerun()
    if own.says:
        icon = ":material/error:" if own.refused else ":material/check_circle:"
        st.caption(f"{icon} {plain(own.says)}")


def _progress(reader: NextReader) -> None:
    """Say what to show now, and learn from it when all was shown; runs again by itself."""
    own = visit().state(OwnFace)
    guide = own.guide
    if guide is None:
        return
    now = guide.progress
    if now.emotion is None:
        own.says, own.refused = _learned(reader, guide)
        _stop(reader, own)
        st.rerun()
    if now.emotion == "neutral":
        looks = _("Look **neutral**, as at rest")
    else:
        looks = _("Hold **{emotion}**").format(emotion=_(now.emotion))
    waits = _("get ready") if now.prepares else _("hold")
    st.markdown(f"{looks}: {waits} … {now.seconds_left:.0f} s")
    if st.button(_("Cancel"), key="own cancel", width="stretch"):
        _stop(reader, own)
        st.rerun()


def _learned(reader: NextReader, guide: Guide) -> tuple[str, bool]:
    """Learn from what was shown; return one line for the visitor, and whether it was refused."""
    if guide.progress.problem:
        return _(guide.progress.problem), True
    model = reader.engine.model
    try:
        learned = examples.learn_checked(model, np.array(guide.rows), guide.labels)
        reader.calibration.owner = guide.track_id
        reader.calibration.corrector = Corrector(learned, model)
    except EmorecError as error:
        return str(error), True
    says = _("Learned from {n} readings: {emotions}.").format(
        n=len(guide.labels), emotions=", ".join(map(_, learned.counts))
    )
    return says, False


def _stop(reader: NextReader, own: OwnFace) -> None:
    reader.calibration.watch = own.guide = None
