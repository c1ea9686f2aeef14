"""The people who agreed to be recognised: enrolled, found again, renamed, deleted.

Names and embeddings are sealed in the database; what is needed to match is kept open in memory,
and follows every change that this or another process makes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from emorec.database.engine import connect, reading, wipe, writing
from emorec.database.tables import LookRow, PersonRow, StoreRow
from emorec.database.vault import SealError, Vault, confirm, unlock
from emorec.deployment import STORE, Deployment
from emorec.errors import EmorecError, StoreError
from emorec.people import consent as words
from emorec.people.matching import Match
from emorec.people.names import checked_name
from emorec.people.nearest import SIZE, Index, checked
from emorec.people.rule import MARGIN, Embeddings, threshold


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody enrolled.

    Attributes:
        id: tells two people of one name apart; never used again.
        name: as it was given, without spaces around it.
        looks: how many embeddings are kept.
        enrolled: when the person agreed, in UTC.
    """

    id: int
    name: str
    looks: int
    enrolled: datetime


def open_gallery(deployment: Deployment | None = None) -> Gallery:
    """Open the store of a deployment, with its key.

    Args:
        deployment: which store; None takes the one that the environment names.

    Raises:
        EmorecError: the database or its key cannot be used; one line that says why.
    """
    chosen = Deployment.from_env(only=STORE) if deployment is None else deployment
    engine = connect(chosen.database_url, chosen.data_folder)
    return Gallery(engine, unlock(engine, chosen.key))


class Gallery:
    """The people of one store; several threads and several processes may use it.

    Every method raises `StoreError` where the database does not answer, or holds a row that was
    changed outside EmoRec. Deleting needs no such row to be read.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._index: Index | None = None
        self._loading = Lock()

    def close(self) -> None:
        """Let the database go; whatever is asked next opens it again."""
        self._engine.dispose()

    def people(self) -> list[Person]:
        """Return everybody, by name and then by id."""
        query = (
            select(PersonRow.id, PersonRow.name, PersonRow.consented_at, func.count(LookRow.id))
            .outerjoin(LookRow)
            .group_by(PersonRow.id)
        )
        with reading(self._engine) as session:
            rows = session.execute(query).all()
        found = [Person(id_, self._open_name(id_, name), n, when) for id_, name, when, n in rows]
        return sorted(found, key=lambda person: (person.name.casefold(), person.id))

    def enrol(self, name: str, embeddings: npt.ArrayLike, consent: bool) -> Person:
        """Keep a person, all of it or nothing.

        Args:
            name: 1 to 80 characters; another person may have the same.
            embeddings: float32 of shape (n, 128), one a picture, n from 1.
            consent: whether the person agreed to `emorec.people.consent.TEXT`.

        Raises:
            EmorecError: no consent, or no such name.
            ValueError: no such embeddings.
        """
        if consent is not True:
            raise EmorecError("nobody is enrolled without their consent.")
        name, looks, now = checked_name(name), _some(embeddings), datetime.now(UTC)
        with writing(self._engine) as session:
            _change(session)
            confirm(session, self._vault)
            person = PersonRow(name=b"", consented_at=now, consent_version=words.VERSION)
            session.add(person)
            session.flush()  # now it has the id that its values are sealed for
            id_ = person.id
            person.name = self._vault.seal(name.encode(), _name_of(id_))
            session.add_all(self._sealed(id_, looks, now))
        return Person(id_, name, len(looks), now)

    def add(self, person_id: int, embeddings: npt.ArrayLike) -> None:
        """Keep more looks of a person, shaped as `enrol` takes them.

        Raises:
            EmorecError: no such person.
            ValueError: no such embeddings.
        """
        looks = _some(embeddings)
        with writing(self._engine) as session:
            _change(session)
            confirm(session, self._vault)
            _find(session, person_id)
            session.add_all(self._sealed(person_id, looks, datetime.now(UTC)))

    def rename(self, person_id: int, name: str) -> None:
        """Call a person by another name; the old one is forgotten.

        Raises:
            EmorecError: no such person, or no such name.
        """
        name = checked_name(name)
        with writing(self._engine) as session:
            _change(session)
            confirm(session, self._vault)
            row = _find(session, person_id)
            row.name = self._vault.seal(name.encode(), _name_of(person_id))
        wipe(self._engine)

    def delete(self, person_id: int) -> None:
        """Forget a person: when this returns, neither file nor memory here holds them.

        Raises:
            EmorecError: no such person.
        """
        with writing(self._engine) as session:
            _change(session)
            session.delete(_find(session, person_id))
        self._drop()
        wipe(self._engine)

    def clear(self) -> None:
        """Forget everybody, as `delete` forgets one."""
        forget_everybody(self._engine)
        self._drop()

    def export(self) -> bytes:
        """Return all that is kept of everybody, as JSON: the right of access."""
        with reading(self._engine) as session:
            people = session.scalars(select(PersonRow).order_by(PersonRow.id)).all()
            looks = session.scalars(select(LookRow).order_by(LookRow.id)).all()
        kept: dict[int, list[dict[str, Any]]] = {row.id: [] for row in people}
        for look in looks:
            embedding = self._open_look(look.person_id, look.embedding)
            values = [float(f"{value:.9g}") for value in embedding]  # enough for any float32
            kept[look.person_id].append({"added": look.added_at.isoformat(), "embedding": values})
        document = {
            "exported": datetime.now(UTC).isoformat(),
            "people": [
                {
                    "id": row.id,
                    "name": self._open_name(row.id, row.name),
                    "enrolled": row.consented_at.isoformat(),
                    "consent_version": row.consent_version,
                    "looks": kept[row.id],
                }
                for row in people
            ],
        }
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"

    def embeddings(self) -> tuple[npt.NDArray[np.int64], Embeddings]:
        """Return whose each look is, int64 (n,), and the looks, float32 (n, 128); read-only."""
        index = self._current()
        return index.ids, index.looks

    def match(self, faces: Sequence[npt.ArrayLike]) -> list[Match | None]:
        """Return for each face whose it is, by `emorec.people.rule`; None where nobody's.

        Args:
            faces: of each face its embedding, float32 of shape (128,), or those of several
                pictures of it, (k, 128).

        Raises:
            ValueError: no such embeddings.
        """
        pictures, index = [_some(np.atleast_2d(face)) for face in faces], self._current()
        near = threshold(len(index.people))
        return [_match(index, face, near) for face in pictures]

    def distances(self, face: npt.ArrayLike) -> list[Match]:
        """Return how far everybody is from a face, shaped as in `match`, the nearest first."""
        index = self._current()
        away = index.distances(_some(np.atleast_2d(face)))
        return [
            Match(id_, index.names[id_], away[id_]) for id_ in sorted(away, key=away.__getitem__)
        ]

    def _current(self) -> Index:
        """Return what is in the store now; it is read only where somebody changed it."""
        with self._loading:
            with reading(self._engine) as session:
                revision = session.scalars(select(StoreRow.people_revision)).one()
                if self._index is not None and self._index.revision == revision:
                    return self._index
                self._index = None
                people = session.execute(select(PersonRow.id, PersonRow.name)).all()
                query = select(LookRow.person_id, LookRow.embedding).order_by(LookRow.id)
                looks = session.execute(query).all()
            matrix = np.empty((len(looks), SIZE), np.float32)
            for row, (id_, sealed) in enumerate(looks):
                matrix[row] = self._open_look(id_, sealed)
            names = {id_: self._open_name(id_, sealed) for id_, sealed in people}
            ids = np.array([id_ for id_, _ in looks], np.int64)
            self._index = Index(revision, names, ids, matrix)
            return self._index

    def _drop(self) -> None:
        # Under the lock: a thread that is reading the store as it was must not put it back.
        with self._loading:
            self._index = None

    def _open_name(self, id_: int, sealed: bytes) -> str:
        return self._open(id_, sealed, _name_of(id_)).decode()

    def _open_look(self, id_: int, sealed: bytes) -> Embeddings:
        return np.frombuffer(self._open(id_, sealed, _look_of(id_)), "<f4").astype(np.float32)

    def _open(self, id_: int, sealed: bytes, place: str) -> bytes:
        try:
            return self._vault.open(sealed, place)
        except SealError as error:
            raise StoreError(f"{error} `emorec people delete {id_}` removes the person.") from None

    def _sealed(self, id_: int, looks: Embeddings, now: datetime) -> list[LookRow]:
        return [
            LookRow(
                person_id=id_,
                embedding=self._vault.seal(look.astype("<f4").tobytes(), _look_of(id_)),
                added_at=now,
            )
            for look in looks
        ]


def forget_everybody(engine: Engine) -> None:
    """Delete all people and looks; no key is needed, and whichever is used next is the store's.

    Raises:
        StoreError: the database does not answer.
    """
    with writing(engine) as session:
        _change(session)
        session.execute(delete(LookRow))
        session.execute(delete(PersonRow))
        session.execute(update(StoreRow).values(key_check=None))
    wipe(engine)


def _change(session: Session) -> None:
    """Tell all who hold an index; from here to its end, the transaction is the only one."""
    session.execute(update(StoreRow).values(people_revision=StoreRow.people_revision + 1))


def _match(index: Index, face: Embeddings, near: float) -> Match | None:
    found = index.nearest(face)
    if found is None:
        return None
    person, away, second = found
    if away >= near or second - away < MARGIN:
        return None
    return Match(person, index.names[person], away)


def _find(session: Session, person_id: int) -> PersonRow:
    row = session.get(PersonRow, person_id)
    if row is None:
        raise EmorecError(f"nobody has the id {person_id}.")
    return row


def _some(embeddings: npt.ArrayLike) -> Embeddings:
    looks = checked(embeddings)
    if not len(looks):
        raise ValueError("Expected at least one embedding. Received none.")
    return looks


def _name_of(id_: int) -> str:
    return f"name of person {id_}"


def _look_of(id_: int) -> str:
    return f"look of person {id_}"
