from __future__ import annotations

import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from emorec.deployment import Deployment
from emorec.errors import EmorecError
from emorec.pages import gate
from emorec.pages.parts.reading import Readings
from emorec.pages.photo.gallery import Gallery

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "of cookies",
    "client_id": "emorec",
    "client_secret": "of the client",
    "server_metadata_url": "http://localhost:9/.well-known/openid-configuration",
}


def page(**secrets: object) -> AppTest:
    def script() -> None:
        import streamlit as st

        from emorec.pages import gate

        if gate.admitted():
            st.title("A page")
            gate.ways_out()

    at = AppTest.from_function(script, default_timeout=60)
    for name, secret in secrets.items():
        at.secrets[name] = secret
    at.run()
    assert not at.exception
    return at


def agree(at: AppTest) -> AppTest:
    at.selectbox[0].select(gate.PURPOSES[0]).run()
    for box in at.checkbox:
        box.check()
    at.run()
    return button(at, "Continue").click().run()


def titles(at: AppTest) -> list[str]:
    return [title.value for title in at.title]


def button(at: AppTest, label: str):
    return next(button for button in at.button if button.label == label)


@pytest.fixture
def consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOREC_CONSENT", "required")


def test_nothing_stands_before_a_page_unless_it_is_asked_for() -> None:
    at = page()
    assert titles(at) == ["A page"]
    assert not at.button


def test_consent_stands_before_every_page_and_asks_three_things(consent: None) -> None:
    at = page()
    assert titles(at) == ["Before you start"]
    said = " ".join(box.label for box in at.checkbox)
    for words in ("knows and agrees", "at work or in education", "apparent expression"):
        assert words in said
    assert button(at, "Continue").disabled


@pytest.mark.parametrize("left_out", [0, 1, 2, "purpose", "own words"])
def test_nothing_may_be_left_out(consent: None, left_out: object) -> None:
    at = page()
    if left_out != "purpose":
        at.selectbox[0].select(gate.PURPOSES[-1]).run()
        if left_out != "own words":
            at.text_input[0].input("a play").run()
    for number, box in enumerate(at.checkbox):
        if number != left_out:
            box.check()
    at.run()
    assert button(at, "Continue").disabled
    assert titles(at) == ["Before you start"]


def test_a_button_that_is_off_but_was_pressed_gives_no_consent(consent: None) -> None:
    at = page()
    at.selectbox[0].select(gate.PURPOSES[0]).run()
    for box in at.checkbox[:-1]:
        box.check()
    assert button(at, "Continue").disabled
    button(at, "Continue").proto.disabled = False
    button(at, "Continue").click().run()  # as a browser can that was changed
    assert titles(at) == ["Before you start"] and not at.exception


@pytest.mark.parametrize("purpose", [gate.PURPOSES[0], gate.PURPOSES[-1]])
def test_who_consents_sees_the_page_until_it_is_withdrawn(consent: None, purpose: str) -> None:
    at = page()
    at.selectbox[0].select(purpose).run()
    if purpose == gate.PURPOSES[-1]:
        at.text_input[0].input("a play").run()
    for box in at.checkbox:
        box.check()
    at.run()
    button(at, "Continue").click().run()
    assert titles(at) == ["A page"]
    at.run()
    assert titles(at) == ["A page"]  # remembered
    button(at, "Withdraw consent").click().run()
    assert titles(at) == ["Before you start"]
    assert button(at, "Continue").disabled


def test_nothing_of_a_picture_is_left_after_the_consent_is_withdrawn(
    consent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script() -> None:
        from emorec.pages import gate
        from emorec.pages.photo import page

        if gate.admitted():
            page.render()
            gate.ways_out()

    removed: list[str] = []
    real = MemoryUploadedFileManager.remove_session_files

    def spy(self: MemoryUploadedFileManager, session_id: str) -> None:
        removed.append(session_id)
        real(self, session_id)

    monkeypatch.setattr(MemoryUploadedFileManager, "remove_session_files", spy)
    at = agree(AppTest.from_function(script, default_timeout=60).run())
    picture = Image.fromarray(np.full((90, 120, 3), 200, np.uint8))
    data = io.BytesIO()
    picture.save(data, "PNG")
    at.file_uploader[0].set_value([("wall.png", data.getvalue(), "image/png")]).run()
    read = at.session_state["visit"].state(Readings)
    assert "No face found" in at.info[0].value and read.by_key and not removed
    button(at, "Withdraw consent").click().run()
    assert titles(at) == ["Before you start"]
    assert len(removed) == 1
    agree(at)
    assert titles(at) == ["Photo"] and not at.exception
    visit = at.session_state["visit"]
    assert not at.file_uploader[0].value and not at.info
    assert not visit.state(Readings).by_key and not visit.state(Gallery).given


def test_a_login_stands_before_consent(consent: None) -> None:
    at = page(auth=AUTH)
    assert titles(at) == ["EmoRec"]
    assert [button.label for button in at.button] == ["Log in"]
    assert not at.checkbox


@pytest.mark.parametrize("missing", AUTH)
def test_a_login_that_lacks_something_lets_nobody_in(missing: str) -> None:
    at = page(auth={key: secret for key, secret in AUTH.items() if key != missing})
    assert not titles(at)
    assert at.error[0].value == f"secrets.toml: [auth] lacks {missing}."


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ({"EMOREC_REQUIRE_LOGIN": "1"}, "EMOREC_REQUIRE_LOGIN: no login is set up"),
        ({"EMOREC_REQUIRE_LOGIN": "yes please"}, "EMOREC_REQUIRE_LOGIN: expected 1 or 0"),
        ({"EMOREC_CONSENT": "maybe"}, "EMOREC_CONSENT: expected required. Received 'maybe'."),
    ],
)
def test_a_wrong_choice_is_one_line_and_no_page(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], line: str
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    at = page()
    assert not titles(at)
    assert at.error[0].value.startswith(line)


def test_secrets_that_cannot_be_read_let_nobody_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    broken = tmp_path / "secrets.toml"
    broken.write_text("[auth\nclient_secret = hidden")
    secrets = type(st.secrets)()
    monkeypatch.setattr(st, "secrets", secrets)
    before = st.get_option("secrets.files")
    st.config.set_option("secrets.files", [str(broken)])
    try:
        with pytest.raises(EmorecError, match=r"secrets\.toml: cannot be read") as raised:
            gate.rules(Deployment())
    finally:
        st.config.set_option("secrets.files", before)
    assert "hidden" not in str(raised.value)


def test_sessions_are_kept_from_start_only_with_consent_that_names_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, consent: None
) -> None:
    with pytest.raises(EmorecError, match=r"^EMOREC_SESSIONS: start .* needs EMOREC_CONSENT"):
        gate.rules(Deployment(sessions="start"))
    monkeypatch.setenv("EMOREC_SESSIONS", "start")
    at = page()
    at.selectbox[0].select(gate.PURPOSES[0])
    for box in at.checkbox[:3]:
        box.check()
    at.run()
    assert button(at, "Continue").disabled and "it is kept" in at.checkbox[3].label
    assert "No picture and no name" in at.checkbox[3].label
