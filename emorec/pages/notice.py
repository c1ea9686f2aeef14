"""The notice for people who are filmed: to print, or as one line on a second screen.

Regulation (EU) 2024/1689 (AI Act), Art. 50(3) and (5): who uses an emotion recognition system tells
the people exposed to it, at the latest at the first exposure, clearly and accessibly.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urljoin, urlsplit

import cv2
import numpy as np
import streamlit as st

from emorec.emotions import EMOTIONS
from emorec.media.photo import ImageBGR, encode_png
from emorec.words import N_, _

_MODULE_PX = 8  # side of the code's smallest square
_QUIET = 4  # squares left white around it (ISO/IEC 18004)
_LOCAL = ("localhost", "127.0.0.1", "::1")

_STYLE = """
<style>
.emorec-line { font-size: clamp(1.6rem, 3.4vw, 4rem); line-height: 1.25; font-weight: 600; }
@media print {
  [data-testid="stHeader"], .st-key-choices, .stAppToolbar, .st-key-language {
    display: none !important;
  }
  .stMainBlockContainer { padding-top: 0 !important; }
}
</style>
"""

_PRINT = """export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.onclick = () => window.print();
}"""
_PRINT_CSS = """button {
  font: inherit; color: inherit; background: none; cursor: pointer; padding: 0.45rem 0.9rem;
  border: 1px solid rgb(128 128 128 / 0.4); border-radius: 0.5rem;
}"""

_LINE = N_(
    "A camera is on here, and a program (AI) reads the apparent expression of every face in view. "
    "It does not know what anyone feels."
)

_TITLE = N_("A program reads faces here")
_SAYS = N_("""
**A camera is on, and a program reads the apparent expression of every face in view.**

- The program is an AI system, EmoRec. Of each face it says which of seven expressions it most looks
  like: {emotions}.
- It reads **apparent expression, not inner feeling**, and it is often wrong. Do not decide about
  people by what it says.
- Pictures are read in the memory of a computer and forgotten. The people who run it may keep the
  numbers: ask them which, why and for how long.
- **You can say no.** Tell the people who run it, or stay out of the camera's view. They can blur
  every face, or show totals of the whole group alone.
""")
_LAW = N_("""
You are told this as
[Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj) (AI Act), Art. 50(3),
asks of those who use an emotion recognition system. Where the GDPR applies it holds too. In the EU,
inferring emotions at work or in education is prohibited (Art. 5(1)(f)), save for medical or safety
reasons.
""")


def render() -> None:
    """Show the page."""
    st.set_page_config(page_title=f"EmoRec · {_('Notice')}")
    st.html(_STYLE)
    about = about_url(st.context.url)
    with st.container(key="choices"):
        one_line = st.toggle(_("One line, for a second screen"), key="one line")
        contact = st.text_input(
            _("Who runs this, and how to reach them (stands on the notice)"),
            max_chars=200,
            key="contact",
        ).strip()
        st.components.v2.component(
            "emorec_print",
            html='<button type="button"></button>',
            css=_PRINT_CSS,
            js=_PRINT,
        )(key="print", data={"label": _("Print")})
        if about is not None and urlsplit(about).hostname in _LOCAL:
            st.info(
                _(
                    "The code leads to this computer alone. Open this page by the address that"
                    " other devices use."
                ),
                icon=":material/lan:",
            )
    words, code = st.columns([3, 1], gap="large")
    with words:
        if one_line:
            st.html(f'<p class="emorec-line">{_(_LINE)}</p>')
        else:
            st.title(_(_TITLE))
            st.markdown(_(_SAYS).format(emotions=", ".join(map(_, EMOTIONS))))
        if contact:
            st.html(f"<p><strong>{_('Run by:')}</strong> {escape(contact)}</p>")
        if not one_line:
            st.markdown(_(_LAW))
    if about is not None:
        with code:
            st.image(
                encode_png(qr_code(about)),
                width="stretch",
                alt=_("QR code of {address}").format(address=about),
            )
            st.caption(
                _("What it does, and how often it is right: {address}").format(address=about)
            )


def about_url(own_url: str | None) -> str | None:
    """Return the address of the About page.

    Args:
        own_url: of this page, as the browser has it; None where it is not known.
    """
    return urljoin(own_url, "about") if own_url else None


def qr_code(text: str) -> ImageBGR:
    """Return a QR code with its white rim, black on white, uint8 (side, side, 3)."""
    squares = np.asarray(cv2.QRCodeEncoder.create().encode(text), np.uint8)
    # OpenCV's rim is narrower than the standard's.
    rows, columns = np.nonzero(squares == 0)
    squares = squares[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    squares = np.pad(squares, _QUIET, constant_values=255)
    large = np.kron(squares, np.ones((_MODULE_PX, _MODULE_PX), np.uint8))
    return np.repeat(large[..., None], 3, axis=2)
