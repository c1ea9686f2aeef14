"""The gallery: the people who agreed to be recognised.

Names, embeddings and examples are sealed in the database. An index for matching is held unsealed in
memory; it is read again after every change that this or another process makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from emorec.calibration.examples import Examples
from emorec.database.engine import connect, deleting, place_of, reading, wipe, writing
from emorec.database.tables import EmbeddingRow, PersonExamplesRow, PersonRow, StoreRow
from emorec.database.vault import Vault, confirm, unlock
from emorec.deployment import STORE, Deployment
from emorec.errors import EmorecError, NoStoreError
from emorec.people import consent as words
from emorec.people import examples as kept
from emorec.people.matching import Match
from emorec.people.names import checked_name
from emorec.people.nearest import SIZE, Index, checked
from emorec.people.rule import MARGIN, Embeddings, threshold
from emorec.people.sealed import Sealed, exported
from emorec.words import N_


@dataclass(frozen=True, slots=True)
class Person:
    """An enrolled person.

    Attributes:
        id: unique, also among people of the same name; never used again.
        name: as entered, without spaces around it.
        pictures: number of pictures enrolled; each has one embedding in the store.
        enrolled: when the person agreed, in UTC.
        examples_kept: when the person agreed that their examples are kept, in UTC; None: none are.
    """

    id: int
    name: str
    pictures: int
    enrolled: datetime
    examples_kept: datetime | None = None


def open_gallery(deployment: Deployment | None = None, make: bool = True) -> Gallery:
    """Open the store of a deployment, with its key.

    Args:
        deployment: says which store; None reads the environment.
        make: whether a store or a key that is missing is made.

    Raises:
        NoStoreError: nobody was ever enrolled in it, and ``make`` is False.
        EmorecError: the database or its key cannot be used; one line with the reason.
    """
    chosen = Deployment.from_env(only=STORE) if deployment is None else deployment
    engine = connect(chosen.database_url, chosen.data_folder, make)
    if not make:
        with reading(engine) as session:
            key_check = session.get_one(StoreRow, 1).key_check
        if key_check is None:
            engine.dispose()
            raise NoStoreError(place_of(engine))
    return Gallery(engine, unlock(engine, chosen.key))


class Gallery:
    """The people of one store; several threads and several processes may use it.

    Every method raises `StoreError` if the database does not answer, or if it reads a row that was
    changed outside EmoRec. Deleting reads no names and embeddings, so such a row can be deleted.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._sealed = Sealed(vault)
        self._index: Index | None = None
        self._loading = Lock()

    @property
    def place(self) -> str:
        """Where the people are, in words."""
        return place_of(self._engine)

    def close(self) -> None:
        """Close the connections to the database; the next call of a method opens a new one."""
        self._engine.dispose()

    def people(self) -> list[Person]:
        """Return all people, sorted by name and then by id."""
        query = (
            select(
                PersonRow.id, PersonRow.name, PersonRow.consented_at, func.count(EmbeddingRow.id)
            )
            .outerjoin(EmbeddingRow)
            .group_by(PersonRow.id)
        )
        with_examples = select(PersonExamplesRow.person_id, PersonExamplesRow.consented_at)
        with reading(self._engine) as session:
            rows = session.execute(query).all()
            kept_at = session.execute(with_examples).all()
        examples = {id_: when for id_, when in kept_at}  # noqa: C416 - rows are no pairs to mypy
        found = [
            Person(id_, self._sealed.open_name(id_, name), n, when, examples.get(id_))
            for id_, name, when, n in rows
        ]
        return sorted(found, key=lambda person: (person.name.casefold(), person.id))

    def enrol(self, name: str, embeddings: npt.ArrayLike, consent: bool) -> Person:
        """Enrol a person in one transaction.

        Args:
            name: 1 to 80 characters; two people may have the same name.
            embeddings: float32 of shape (n, 128), one for each picture, n ≥ 1.
            consent: whether the person agreed to `emorec.people.consent.TEXT`.

        Raises:
            EmorecError: the consent is missing, or the name is not allowed.
            ValueError: the embeddings have another shape or are not finite.
        """
        if consent is not True:
            raise EmorecError(N_("nobody is enrolled without their consent."))
        name, checked_, now = checked_name(name), _at_least_one(embeddings), datetime.now(UTC)
        with writing(self._engine) as session:
            _raise_revision(session)
            confirm(session, self._vault)
            person = PersonRow(name=b"", consented_at=now, consent_version=words.VERSION)
            session.add(person)
            session.flush()  # gives it the id, which is part of the sealed values' place
            id_ = person.id
            person.name = self._sealed.name(id_, name)
            session.add_all(self._sealed.rows(id_, checked_, now))
        return Person(id_, name, len(checked_), now)

    def add(self, person_id: int, embeddings: npt.ArrayLike) -> None:
        """Add embeddings of further pictures to a person; ``embeddings`` as for `enrol`.

        Raises:
            EmorecError: no person has this id.
            ValueError: the embeddings have another shape or are not finite.
        """
        rows = _at_least_one(embeddings)
        with writing(self._engine) as session:
            _raise_revision(session)
            confirm(session, self._vault)
            _person_row(session, person_id)
            session.add_all(self._sealed.rows(person_id, rows, datetime.now(UTC)))

    def rename(self, person_id: int, name: str) -> None:
        """Change a person's name; the old name is erased from the store.

        Raises:
            EmorecError: no person has this id, or the name is not allowed.
        """
        name = checked_name(name)
        with writing(self._engine) as session:
            _raise_revision(session)
            confirm(session, self._vault)
            row = _person_row(session, person_id)
            row.name = self._sealed.name(person_id, name)
        wipe(self._engine)

    def keep_examples(self, person_id: int, examples: Examples, consent: bool) -> None:
        """Keep the examples of a person's expressions, in place of earlier ones.

        Args:
            person_id: whose they are.
            examples: what was learned from them.
            consent: whether the person agreed to `emorec.people.consent.EXAMPLES_TEXT`.

        Raises:
            EmorecError: the consent is missing, or no person has this id.
        """
        if consent is not True:
            raise EmorecError(N_("nobody's examples are kept without their consent."))
        with writing(self._engine) as session:
            _raise_revision(session)
            confirm(session, self._vault)
            _person_row(session, person_id)
            kept.put(session, self._vault, person_id, examples)
        wipe(self._engine)

    def forget_examples(self, person_id: int) -> None:
        """Delete the examples of a person, as `delete` does with all that is known of one.

        Raises:
            EmorecError: no person has this id.
        """
        with deleting(self._engine) as session:
            _raise_revision(session)
            _person_row(session, person_id)
            kept.remove(session, person_id)
        self._drop_index()
        wipe(self._engine)

    def examples(self, person_id: int) -> Examples | None:
        """Return the examples kept of a person; the same object until people change.

        None where there are none, or nobody has this id.
        """
        known = self._current_index().examples
        if person_id not in known:
            with reading(self._engine) as session:
                row = session.get(PersonExamplesRow, person_id)
            known[person_id] = kept.opened(row, self._sealed.open) if row else None
        return known[person_id]

    def delete(self, person_id: int) -> None:
        """Delete a person: then neither the store's files nor this process hold their data.

        Raises:
            EmorecError: no person has this id.
        """
        with deleting(self._engine) as session:
            _raise_revision(session)
            session.delete(_person_row(session, person_id))
        self._drop_index()
        wipe(self._engine)

    def clear(self) -> None:
        """Delete all people, as `delete` does with one."""
        delete_all_people(self._engine)
        self._drop_index()

    def export(self) -> bytes:
        """Return all stored data of all people as JSON, for the right of access (GDPR, Art. 15)."""
        return exported(self._engine, self._sealed)

    def embeddings(self) -> tuple[npt.NDArray[np.int64], Embeddings]:
        """Return all embeddings.

        Returns:
            The person's id of each embedding, int64 of shape (n,), and the embeddings, float32 of
            shape (n, 128); both read-only.
        """
        index = self._current_index()
        return index.ids, index.embeddings

    def match(self, faces: Sequence[npt.ArrayLike]) -> list[Match | None]:
        """Return the person that each face belongs to by `emorec.people.rule`, or None.

        Args:
            faces: for each face its embedding, float32 of shape (128,), or those of several
                pictures of it, (k, 128).

        Raises:
            ValueError: the embeddings have another shape or are not finite.
        """
        pictures, index = (
            [_at_least_one(np.atleast_2d(face)) for face in faces],
            self._current_index(),
        )
        near = threshold(len(index.people))
        return [_decide(index, face, near) for face in pictures]

    def distances(self, face: npt.ArrayLike) -> list[Match]:
        """Return all people with their distance from a face, the nearest first.

        Args:
            face: one face, as in `match`.
        """
        index = self._current_index()
        by_id = index.distances(_at_least_one(np.atleast_2d(face)))
        return [
            Match(id_, index.names[id_], by_id[id_]) for id_ in sorted(by_id, key=by_id.__getitem__)
        ]

    def _current_index(self) -> Index:
        """Return an index of the store's current content; read again only after a change."""
        with self._loading:
            with reading(self._engine) as session:
                revision = session.scalars(select(StoreRow.people_revision)).one()
                if self._index is not None and self._index.revision == revision:
                    return self._index
                self._index = None
                people = session.execute(select(PersonRow.id, PersonRow.name)).all()
                query = select(EmbeddingRow.person_id, EmbeddingRow.embedding).order_by(
                    EmbeddingRow.id
                )
                rows = session.execute(query).all()
            matrix = np.empty((len(rows), SIZE), np.float32)
            for row, (id_, sealed) in enumerate(rows):
                matrix[row] = self._sealed.open_embedding(id_, sealed)
            names = {id_: self._sealed.open_name(id_, sealed) for id_, sealed in people}
            ids = np.array([id_ for id_, _ in rows], np.int64)
            self._index = Index(revision, names, ids, matrix)
            return self._index

    def _drop_index(self) -> None:
        # Under the lock: a thread that has read the store before the change must not set the old
        # index afterwards.
        with self._loading:
            self._index = None


def delete_all_people(engine: Engine) -> None:
    """Delete all people and all that is kept of them, without the key.

    The next key used becomes the store's.

    Raises:
        StoreError: the database does not answer.
    """
    with deleting(engine) as session:
        _raise_revision(session)
        session.execute(delete(EmbeddingRow))
        session.execute(delete(PersonExamplesRow))
        session.execute(delete(PersonRow))
        session.execute(update(StoreRow).values(key_check=None))
    wipe(engine)


def _raise_revision(session: Session) -> None:
    """Raise the store's revision, so that every process reads its index again.

    The database locks the row: no other transaction can change people before this one ends.
    """
    session.execute(update(StoreRow).values(people_revision=StoreRow.people_revision + 1))


def _decide(index: Index, face: Embeddings, near: float) -> Match | None:
    """Apply the rule to one face; ``near`` is the threshold."""
    found = index.nearest(face)
    if found is None:
        return None
    person, first, second = found
    if first >= near or second - first < MARGIN:
        return None
    return Match(person, index.names[person], first)


def _person_row(session: Session, person_id: int) -> PersonRow:
    row = session.get(PersonRow, person_id)
    if row is None:
        raise EmorecError(N_("nobody has the id {id}."), id=person_id)
    return row


def _at_least_one(embeddings: npt.ArrayLike) -> Embeddings:
    array = checked(embeddings)
    if not len(array):
        raise ValueError("Expected at least one embedding. Received none.")
    return array
