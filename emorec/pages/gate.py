"""What stands before every page: a login, and the visitor's purpose and consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from emorec.deployment import Deployment
from emorec.errors import EmorecError
from emorec.pages.parts import keeping
from emorec.pages.parts.consent import Consent
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.language import worded
from emorec.pages.parts.visit import visit
from emorec.words import N_, _

PURPOSES = (
    N_("Trying it out"),
    N_("A talk or a demonstration"),
    N_("Research with people who agreed to it"),
    N_("Something else"),
)
_LOGIN_KEYS = ("redirect_uri", "cookie_secret")
_PROVIDER_KEYS = ("client_id", "client_secret", "server_metadata_url")

_STATEMENTS = (
    N_("Everyone in view **knows and agrees** that their expressions are read."),
    N_(
        "It is **not used at work or in education** in the EU "
        "([AI Act, Art. 5(1)(f)](https://eur-lex.europa.eu/eli/reg/2024/1689/oj))."
    ),
    N_("I know that it reads **apparent expression**, not what anyone feels."),
)


def rules(chosen: Deployment) -> tuple[bool, bool]:
    """Return whether a login, and whether purpose and consent, stand before the pages.

    The login is switched on by an ``[auth]`` in Streamlit's secrets, consent by
    ``EMOREC_CONSENT=required``.

    Raises:
        EmorecError: the login is set up wrong, or ``EMOREC_REQUIRE_LOGIN`` asks for a login that
            the secrets do not set up, or sessions are kept without the consent that this needs.
            The line repeats no secret.
    """
    if chosen.sessions == "start" and not chosen.consent:
        raise EmorecError(
            "EMOREC_SESSIONS: start keeps every session, so it needs EMOREC_CONSENT=required."
        )
    auth = _auth()
    if auth is None:
        if chosen.require_login:
            raise EmorecError(
                "EMOREC_REQUIRE_LOGIN: no login is set up; put an [auth] into "
                ".streamlit/secrets.toml, or take the variable away."
            )
        return False, chosen.consent
    missing = [key for key in _LOGIN_KEYS + _PROVIDER_KEYS if not auth.get(key)]
    if missing:
        raise EmorecError(f"secrets.toml: [auth] lacks {', '.join(missing)}.")
    return True, chosen.consent


def admitted() -> bool:
    """Return whether the visitor may see the pages; else show what stands before them."""
    try:
        login, consent = rules(deployment())
    except EmorecError as error:
        st.error(str(error))
        return False
    if login and not st.user.get("is_logged_in"):
        _login()
        return False
    if consent and visit().state(Consent).purpose is None:
        _ask()
        return False
    return True


def ways_out() -> None:
    """Offer below a page to withdraw the consent that was given, and to log out."""
    login, consent = rules(deployment())
    if not (login or consent):
        return
    row = st.container(horizontal=True)
    if consent:
        row.button(_("Withdraw consent"), type="tertiary", on_click=_withdraw)
    if login:
        row.button(_("Log out"), type="tertiary", on_click=st.logout)


def _login() -> None:
    st.title("EmoRec")
    st.markdown(_("Whoever runs this app asks you to log in."))
    st.button(_("Log in"), type="primary", icon=":material/login:", on_click=st.login)


def _ask() -> None:
    st.title(_("Before you start"))
    st.markdown(_("EmoRec reads the **apparent expression** of faces. Say what you use it for."))
    purpose = st.selectbox(
        _("Purpose"),
        PURPOSES,
        index=None,
        placeholder=_("Choose one"),
        format_func=_,
        key=worded("purpose"),
    )
    if purpose == PURPOSES[-1]:
        st.text_input(_("In your own words"), max_chars=200, key="own words")
    for number, statement in enumerate(_statements()):
        st.checkbox(statement, key=f"statement {number}")
    st.button(_("Continue"), type="primary", disabled=not _agreed_purpose(), on_click=_agree)
    if keeping.from_start():
        st.caption(_("Your purpose is kept with each session; your consent until you withdraw it."))
    else:
        st.caption(_("Kept until you leave or withdraw it, and not written down anywhere."))


def _statements() -> list[str]:
    """Return what the visitor has to confirm."""
    if not keeping.from_start():
        return [_(statement) for statement in _STATEMENTS]
    kept = _("They know and agree that **it is kept**. {what}").format(what=keeping.what())
    return [*(_(statement) for statement in _STATEMENTS), kept]


def _agreed_purpose() -> str | None:
    """Return the purpose as the form holds it now; None unless all of the form is filled in."""
    if not all(
        st.session_state.get(f"statement {number}") is True for number in range(len(_statements()))
    ):
        return None
    purpose = st.session_state.get(worded("purpose"))
    if purpose == PURPOSES[-1]:
        return str(st.session_state.get("own words", "")).strip() or None
    return purpose if purpose in PURPOSES else None


def _agree() -> None:
    """Take the consent, checked once more: a browser can press a button that is switched off."""
    visit().state(Consent).purpose = _agreed_purpose()


def _withdraw() -> None:
    """Forget the consent and all that was read under it.

    What the camera's component keeps stays until its picture has ended, which it still reports.
    """
    visit().forget()


def _auth() -> Mapping[str, Any] | None:
    try:
        auth = st.secrets.get("auth")
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return None
        # Never open to all because a file that may hold a login cannot be read.
        raise EmorecError("secrets.toml: cannot be read; is it valid TOML?") from None
    if auth is not None and not isinstance(auth, Mapping):
        raise EmorecError("secrets.toml: auth is no table; write [auth].")
    return auth
