"""The people page: enrol people with their consent, rename them, delete them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from emorec.errors import EmorecError
from emorec.filenames import dated
from emorec.pages.parts import naming
from emorec.pages.parts.engine import live_recognizer
from emorec.pages.parts.language import worded
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import State, visit
from emorec.pages.people import pictures
from emorec.people import consent, extra
from emorec.words import N_, _, ngettext

if TYPE_CHECKING:  # it imports packages of an extra that may not be installed
    from emorec.people.gallery import Gallery, Person

_RULE = N_("""
A face gets a person's name if it is near enough to that person's pictures and no other person is
nearly as near. The more people are enrolled, the nearer it must be. A live face is judged by its
first three pictures, taken over about a second; if these give no name, by its first six, then by
its first twelve. Staying longer gives no further chance. Otherwise the face has no name: there is
no "maybe".

Measured on press photographs of 80 people and 200 strangers, with **40 people enrolled**:

| enrolled with | strangers given a name | enrolled given their own | given somebody else's |
|---|--:|--:|--:|
| one picture | **0.3 %** | **86.1 %** | fewer than 2 in 1,000 |
| three pictures | **0.2 %** | **94.6 %** | fewer than 2 in 1,000 |

Most of the enrolled people without a name were not found in the photograph, or not clearly.
Relatives may be as near as two pictures of one person: never decide about a person by a name alone.
""")
"""The numbers are from `benchmarks/results/`; a test compares them with the newest result."""

_NEW = 0  # in place of a person's id, which is 1 or more
_SEARCH_FROM = 8
_MOST_SHOWN = 50


_STYLE = """
<style>
[class*="st-key-people-delete"] button { color: #fff; background: #b3261e; border-color: #b3261e; }
[class*="st-key-people-delete"] button:hover {
  color: #fff; background: #8c1d18; border-color: #8c1d18;
}
[class*="st-key-people-ask"] button:hover, [class*="st-key-people-ask"] button:focus-visible {
  color: inherit; border-color: #d4483f;
}
[class*="st-key-people-ask"] button [data-testid="stIconMaterial"] { color: #d4483f; }
</style>
"""
"""What deletes for good is red; what only asks whether to delete has a red icon."""


@dataclass
class Changed(State):
    """The change of the last run, as a sentence that the next run shows once."""

    message: str | None = None


def render() -> None:
    """Show the page."""
    st.html(_STYLE)
    st.title(_("People"))
    st.caption(
        _(
            "People who agreed are called by their **name** on the Live and Photo pages. Kept are "
            "name, 128 numbers a picture and, if they wish, numbers learned from expressions they "
            "showed, all encrypted; **never a picture**. These are biometric data "
            "([GDPR, Art. 9](https://eur-lex.europa.eu/eli/reg/2016/679/oj)): without explicit "
            "consent, enrol nobody."
        )
    )
    if extra.missing():
        st.info(
            _("Names are an extra that is not installed here. Install it and start the app again:"),
            icon=":material/extension:",
        )
        st.code(extra.INSTALL, language="bash")
        return
    try:
        gallery = naming.gallery()
        people = gallery.people()
    except EmorecError as error:
        st.error(plain(str(error)), icon=":material/key_off:")
        return
    changed = visit().state(Changed)
    if changed.message is not None:
        st.toast(plain(changed.message), icon=":material/check:")
        changed.message = None
    with st.expander(_("How a name is decided, and how often it is wrong"), icon=":material/rule:"):
        st.markdown(_(_RULE))
    known, enrol = st.columns([3, 4], gap="large")
    with enrol:
        _enrol(gallery, people)
    with known:
        _list(gallery, people)


def _enrol(gallery: Gallery, people: Sequence[Person]) -> None:
    """Let the visitor enrol a new person, or add pictures to a person."""
    st.header(_("Enrol"))
    by_id = {person.id: person for person in people}
    title = _titles(people)
    id_ = None
    if people:
        title[_NEW] = _("Somebody new")
        chosen = st.selectbox(
            _("Who"), [_NEW, *by_id], format_func=title.__getitem__, key=worded("people who")
        )
        id_ = chosen if chosen != _NEW else None
    name = ""
    if id_ is None:
        name = st.text_input(_("Name"), max_chars=80, key=f"people name {pictures.form_number()}")
    found = pictures.gather(gallery, id_)
    agreed = id_ is not None or _consent()
    wanting = [
        what
        for what, there in (
            (_("a name"), id_ is not None or name.strip()),
            (_("a picture that is good enough"), found),
            (_("the person's consent"), agreed),
        )
        if not there
    ]
    label = _("Enrol")
    if id_ is not None:
        label = _("Add to {name}").format(name=plain(by_id[id_].name))
    if st.button(label, type="primary", disabled=bool(wanting), icon=":material/person_add:"):
        if id_ is None:
            enrol = partial(gallery.enrol, name, found, consent=agreed)
            said = _("{name} is enrolled.").format(name=name.strip())
            _change_gallery(enrol, said, forget=True)
        else:
            said = ngettext(
                "{name} has {n} picture more.", "{name} has {n} pictures more.", len(found)
            )
            said = said.format(name=by_id[id_].name, n=len(found))
            _change_gallery(partial(gallery.add, id_, found), said, forget=True)
    if wanting:
        st.caption(_("Still needed: {what}.").format(what=", ".join(wanting)))


def _consent() -> bool:
    # Streamlit cuts off a checkbox's long label, and the consent must be readable in full.
    st.markdown(f"> {_(consent.TEXT)}")
    return st.checkbox(_("They agree"), key=f"people consent {pictures.form_number()}")


def _list(gallery: Gallery, people: Sequence[Person]) -> None:
    """Show the people enrolled, each with the buttons to rename and delete them."""
    st.header(_("Enrolled: {n}").format(n=len(people)) if people else _("Enrolled"))
    if not people:
        st.info(
            _(
                "**Nobody yet.** Enrol somebody with one to ten pictures: different days, light and"
                " angles make a name surer. Then switch **Names** on, on the Live or Photo page."
            ),
            icon=":material/group:",
        )
        return
    shown = list(people)
    if len(people) > _SEARCH_FROM:
        wanted = st.text_input(_("Find"), key="people find", icon=":material/search:").casefold()
        shown = [person for person in people if wanted in person.name.casefold()]
        if not shown:
            st.caption(_("Nobody has such a name."))
    for person in shown[:_MOST_SHOWN]:
        _card(gallery, person)
    if len(shown) > _MOST_SHOWN:
        st.caption(_("and {n} more: find them by their name").format(n=len(shown) - _MOST_SHOWN))
    row = st.container(horizontal=True)
    row.download_button(
        _("Export"),
        gallery.export,
        dated("people.json"),
        "application/json",
        on_click="ignore",
        icon=":material/download:",
        help=_("All that is kept, readable: names, dates, numbers. Keep it as safe as the people."),
    )
    everybody = row.container(key="people ask all", width="content")
    with everybody.popover(_("Delete everybody"), icon=":material/delete_forever:"):
        st.markdown(
            _("**{n}** and all their pictures' numbers go, for good, at once.").format(
                n=len(people)
            )
        )
        if st.button(_("Delete everybody for good"), key="people delete all"):
            _change_gallery(gallery.clear, _("Nobody is enrolled any more."), forget=True)


def _card(gallery: Gallery, person: Person) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(person.name)}**")
        since = _day(person.enrolled)
        # The id distinguishes two people of the same name.
        st.caption(
            _("{pictures} · enrolled {date} · no. {id}").format(
                pictures=_count(person.pictures), date=since, id=person.id
            )
        )
        if person.examples_kept is not None:
            st.caption(_examples(gallery, person.id, person.examples_kept))
        row = st.container(horizontal=True)
        with row.popover(_("Rename"), icon=":material/edit:"):
            name = st.text_input(
                _("New name"), person.name, max_chars=80, key=f"people rename {person.id}"
            )
            if st.button(_("Save"), key=f"people save {person.id}", type="primary"):
                rename = partial(gallery.rename, person.id, name)
                _change_gallery(rename, _("Now called {name}.").format(name=name.strip()))
        if person.examples_kept is not None:
            forget = row.container(key=f"people ask examples {person.id}", width="content")
            with forget.popover(_("Forget examples"), icon=":material/face_retouching_off:"):
                st.markdown(
                    _(
                        "What **{name}** showed is forgotten, for good; name and pictures stay."
                    ).format(name=plain(person.name))
                )
                if st.button(_("Forget for good"), key=f"people delete examples {person.id}"):
                    forgets = partial(gallery.forget_examples, person.id)
                    said = _("The examples of {name} are deleted.").format(name=person.name)
                    _change_gallery(forgets, said)
        one = row.container(key=f"people ask {person.id}", width="content")
        with one.popover(_("Delete"), icon=":material/delete:"):
            st.markdown(
                _("**{name}** (no. {id}) is forgotten, for good.").format(
                    name=plain(person.name), id=person.id
                )
            )
            if st.button(_("Delete for good"), key=f"people delete {person.id}"):
                said = _("{name} is deleted.").format(name=person.name)
                _change_gallery(partial(gallery.delete, person.id), said)


def _change_gallery(change: Callable[[], object], said: str, forget: bool = False) -> None:
    """Change the gallery and show the page again with a message; or show the error.

    Args:
        change: makes the change.
        said: the message about it.
        forget: whether to empty the form for pictures.
    """
    try:
        change()
    except EmorecError as error:
        st.error(plain(str(error)))
        return
    visit().state(Changed).message = said
    if forget:
        pictures.forget()
    st.rerun()


def _examples(gallery: Gallery, person_id: int, kept: datetime) -> str:
    """Return what is kept of the expressions that a person showed, in words."""
    icon = ":material/face:"
    try:
        found = gallery.examples(person_id)
    except EmorecError as error:
        return f"{icon} {plain(str(error))}"
    if found is None:  # deleted since the people were read
        return ""
    words = _("Examples of {emotions} · since {date}").format(
        emotions=", ".join(map(_, found.counts)), date=_day(kept)
    )
    if found.belongs_to(live_recognizer().model):
        return f"{icon} {words} · {_('used on the Live page')}"
    own = _("learned for the network {name} and used by it alone")
    return f"{icon} {words} · {own.format(name=plain(found.model.name))}"


def _day(moment: datetime) -> str:
    return _("{date.day} {date:%B %Y}").format(date=moment)


def _titles(people: Sequence[Person]) -> dict[int, str]:
    same = Counter(person.name for person in people)
    return {
        person.id: person.name
        if same[person.name] == 1
        else _("{name} (no. {number})").format(name=person.name, number=person.id)
        for person in people
    }


def _count(pictures: int) -> str:
    return ngettext("{n} picture", "{n} pictures", pictures).format(n=pictures)
