"""The about page: what EmoRec does and does not, how good its model is, and the law."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from emorec.emotions import EMOTIONS, UNSURE
from emorec.errors import EmorecError
from emorec.model.contract import Contract
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.engine import recognizer
from emorec.percent import percent
from emorec.version import __version__

_SHA256_SHOWN = 12

_DOES = f"""
- Finds faces that look towards the camera, live, in a photo or in a video.
- Says which of seven expressions each most looks like: {", ".join(EMOTIONS)}.
- Says **{UNSURE}** where the picture does not carry a label.
"""

_DOES_NOT = """
- It does not know what anyone feels: a smile may be politeness, a frown the sun.
- It does not judge age, gender, truthfulness or health.
- It knows nobody, save people who agreed to be enrolled, and names nobody unless it is asked to.
- **Blur faces** hides the faces that it finds: a face in full profile, or with less than a third of
  it in the picture, may be shown.
- It is often wrong: more so on faces turned away, covered, badly lit, or unlike those it
  learned from.
"""

_STORED = """
Photos and camera pictures are read in the server's memory and forgotten: none is written to disk,
and nothing of them is sent elsewhere. A live session's numbers stay in memory until you discard
them, or until this tab is closed{kept}.

A **video** that you upload lies on the server's disk while it is read, and is deleted then. What
was read from it, with the annotated video, lies there until you delete it, withdraw your consent or
close this tab, at the latest two hours after you last used it. No other visitor can reach it.

Of people who agreed to be enrolled, their name and numbers that describe their face are kept, until
they are deleted. The log holds no names. The pages load nothing from other sites; to connect the
camera, your browser may ask a STUN server for its own address, by default one of Google's. What you
download is yours to keep, and to protect.
"""

_KEPT = {
    "ask": "; they are written to the server's database only if you press **Keep**",
    "start": "; they are written to the server's database too, from START on",
}

_LAW = """
1. People on camera must be **told** that their expressions are read.
2. In the EU, inferring emotions **at work or in education is prohibited** since 2 February 2025,
   save for medical or safety reasons
   ([Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj), the AI Act,
   Art. 5(1)(f)).
3. A picture of a person is personal data: where the GDPR applies you need a lawful ground for
   using it, such as that person's **consent**.
4. **Do not decide about people** by what is shown here: not on a job, a grade, a loan or access.
"""


def render(notice: StreamlitPage | None = None) -> None:
    """Show the page.

    Args:
        notice: the page for people who are filmed; None: it is not offered.
    """
    st.title("About")
    st.markdown("EmoRec reads the **apparent expression** of faces, not inner feeling.")
    st.caption(f"Version {__version__}. Licence: MIT.")
    does, does_not = st.columns(2, gap="large")
    does.header("What it does")
    does.markdown(_DOES)
    does_not.header("What it does not")
    does_not.markdown(_DOES_NOT)
    st.header("The model in use")
    try:
        model = recognizer().model
    except EmorecError as error:
        st.error(str(error))
    else:
        _model(model.contract, model.file.suffix.removeprefix("."))
        st.markdown("What it takes for what, and which other models there are: the **Model** page.")
    st.header("What is stored")
    st.markdown(_STORED.format(kept=_KEPT.get(deployment().sessions, "")))
    st.header("The law, in four lines")
    st.markdown(_LAW)
    if notice is not None:
        st.page_link(
            notice,
            label="A notice for people who are filmed: to print, or for a second screen",
            icon=":material/print:",
        )


def _model(contract: Contract, file_format: str) -> None:
    sha256 = contract.files[file_format]["sha256"][:_SHA256_SHOWN]
    st.markdown(
        f"**{contract.name}**, made on {contract.created}, sha256 `{sha256}…`  \n"
        f"Data: {contract.data['name']}, {contract.data['protocol']}.  \n"
        f"Licence: {contract.licence}."
    )
    if not contract.metrics:
        st.info("How often this model is right has not been measured.")
    for split, measured in contract.metrics.items():
        accuracy, macro_f1, ece, faces = st.columns(4)
        accuracy.metric(
            f"Accuracy on {split}",
            percent(measured["accuracy"], 1),
            help="How often its likeliest emotion is the one that people named.",
        )
        macro_f1.metric(
            "Macro F1",
            percent(measured["macro_f1"], 1),
            help="Rare emotions count as much as common ones: the mean F1 of all seven.",
        )
        ece.metric(
            "Calibration error",
            percent(measured["ece"], 1),
            help="How far its confidence is from how often it is right.",
        )
        faces.metric("Faces measured", f"{measured['n']:,}")
