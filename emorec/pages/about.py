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
from emorec.words import N_, _, numeral

_SHA256_SHOWN = 12
_SHIPPED = (
    N_(
        "learned from Training without the faces that stand pixel for pixel in a test too, chosen"
        " on PublicTest"
    ),
    N_("MIT for these weights; the pictures they learned from keep their own terms"),
)
"""What the contracts of the shipped models say in words; others are shown as they are."""

_DOES = N_("""
- Finds faces that look towards the camera, live, in a photo or in a video.
- Says which of seven expressions each most looks like: {emotions}.
- Says **{unsure}** where the picture does not carry a label.
""")

_DOES_NOT = N_("""
- It does not know what anyone feels: a smile may be politeness, a frown the sun.
- It does not judge age, gender, truthfulness or health.
- It knows nobody, save people who agreed to be enrolled, and names nobody unless it is asked to.
- **Blur faces** hides the faces that it finds: a face in full profile, or with less than a third of
  it in the picture, may be shown.
- It is often wrong: more so on faces turned away, covered, badly lit, or unlike those it
  learned from.
""")

_STORED = N_("""
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
""")

_KEPT = {
    "ask": N_("; they are written to the server's database only if you press **Keep**"),
    "start": N_("; they are written to the server's database too, from START on"),
}

_LAW = N_("""
1. People on camera must be **told** that their expressions are read.
2. In the EU, inferring emotions **at work or in education is prohibited** since 2 February 2025,
   save for medical or safety reasons
   ([Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj), the AI Act,
   Art. 5(1)(f)).
3. A picture of a person is personal data: where the GDPR applies you need a lawful ground for
   using it, such as that person's **consent**.
4. **Do not decide about people** by what is shown here: not on a job, a grade, a loan or access.
""")


def render(notice: StreamlitPage | None = None) -> None:
    """Show the page.

    Args:
        notice: the page for people who are filmed; None: it is not offered.
    """
    st.title(_("About"))
    st.markdown(_("EmoRec reads the **apparent expression** of faces, not inner feeling."))
    st.caption(_("Version {version}. Licence: MIT.").format(version=__version__))
    does, does_not = st.columns(2, gap="large")
    does.header(_("What it does"))
    does.markdown(_(_DOES).format(emotions=", ".join(map(_, EMOTIONS)), unsure=_(UNSURE)))
    does_not.header(_("What it does not"))
    does_not.markdown(_(_DOES_NOT))
    st.header(_("The model in use"))
    try:
        model = recognizer().model
    except EmorecError as error:
        st.error(str(error))
    else:
        _model(model.contract, model.file.suffix.removeprefix("."))
        st.markdown(
            _("What it takes for what, and which other models there are: the **Model** page.")
        )
    st.header(_("What is stored"))
    st.markdown(_(_STORED).format(kept=_(_KEPT.get(deployment().sessions, ""))))
    st.header(_("The law, in four lines"))
    st.markdown(_(_LAW))
    if notice is not None:
        st.page_link(
            notice,
            label=_("A notice for people who are filmed: to print, or for a second screen"),
            icon=":material/print:",
        )


def _model(contract: Contract, file_format: str) -> None:
    sha256 = contract.files[file_format]["sha256"][:_SHA256_SHOWN]
    st.markdown(
        _(
            "**{name}**, made on {created}, sha256 `{sha256}…`  \nData: {data}, {protocol}.  \n"
            "Licence: {licence}."
        ).format(
            name=contract.name,
            created=contract.created,
            sha256=sha256,
            data=contract.data["name"],
            protocol=_(contract.data["protocol"]),
            licence=_(contract.licence),
        )
    )
    if not contract.metrics:
        st.info(_("How often this model is right has not been measured."))
    for split, measured in contract.metrics.items():
        accuracy, macro_f1, ece, faces = st.columns(4)
        accuracy.metric(
            _("Accuracy on {split}").format(split=split),
            percent(measured["accuracy"], 1),
            help=_("How often its likeliest emotion is the one that people named."),
        )
        macro_f1.metric(
            _("Macro F1"),
            percent(measured["macro_f1"], 1),
            help=_("Rare emotions count as much as common ones: the mean F1 of all seven."),
        )
        ece.metric(
            _("Calibration error"),
            percent(measured["ece"], 1),
            help=_("How far its confidence is from how often it is right."),
        )
        faces.metric(_("Faces measured"), numeral(f"{measured['n']:,}"))
