"""What is stored of people, sealed and opened; and all of it as one file for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, select

from emorec.database.engine import reading
from emorec.database.tables import EmbeddingRow, PersonExamplesRow, PersonRow
from emorec.database.vault import SealError, Vault
from emorec.errors import StoreError
from emorec.model import typed_json
from emorec.people import examples as kept
from emorec.people.rule import Embeddings
from emorec.words import N_


class Sealed:
    """Seals and opens the values of people, each for its place in the store.

    What opens raises `StoreError` if the value was changed outside EmoRec.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def name(self, id_: int, name: str) -> bytes:
        """Return the name of a person, sealed."""
        return self._vault.seal(name.encode(), _name_place(id_))

    def rows(self, id_: int, embeddings: Embeddings, now: datetime) -> list[EmbeddingRow]:
        """Return a row for each embedding of a person, float32 of shape (n, 128), sealed."""
        return [
            EmbeddingRow(
                person_id=id_,
                embedding=self._vault.seal(
                    embedding.astype("<f4").tobytes(), _embedding_place(id_)
                ),
                added_at=now,
            )
            for embedding in embeddings
        ]

    def open_name(self, id_: int, sealed: bytes) -> str:
        """Return a person's name."""
        return self.open(id_, sealed, _name_place(id_)).decode()

    def open_embedding(self, id_: int, sealed: bytes) -> Embeddings:
        """Return one embedding of a person, float32 of shape (128,)."""
        content = self.open(id_, sealed, _embedding_place(id_))
        return np.frombuffer(content, "<f4").astype(np.float32)

    def open(self, id_: int, sealed: bytes, place: str) -> bytes:
        """Return what was sealed of a person for a place."""
        try:
            return self._vault.open(sealed, place)
        except SealError as error:
            raise StoreError(
                N_("{why} `emorec people delete {id}` removes the person."), why=error, id=id_
            ) from None


def exported(engine: Engine, sealed: Sealed) -> bytes:
    """Return all stored data of all people as JSON, for the right of access (GDPR, Art. 15).

    Raises:
        StoreError: the database does not answer, or a value was changed outside EmoRec.
    """
    with reading(engine) as session:
        people = session.scalars(select(PersonRow).order_by(PersonRow.id)).all()
        rows = session.scalars(select(EmbeddingRow).order_by(EmbeddingRow.id)).all()
        with_examples = session.scalars(select(PersonExamplesRow)).all()
    examples = {
        row.person_id: {
            "kept": row.consented_at.isoformat(),
            "consent_version": row.consent_version,
            **typed_json.as_json(kept.opened(row, sealed.open)),
        }
        for row in with_examples
    }
    pictures: dict[int, list[dict[str, Any]]] = {row.id: [] for row in people}
    for row in rows:
        embedding = sealed.open_embedding(row.person_id, row.embedding)
        values = [float(f"{value:.9g}") for value in embedding]  # exact for any float32
        pictures[row.person_id].append({"added": row.added_at.isoformat(), "embedding": values})
    document = {
        "exported": datetime.now(UTC).isoformat(),
        "people": [
            {
                "id": person.id,
                "name": sealed.open_name(person.id, person.name),
                "enrolled": person.consented_at.isoformat(),
                "consent_version": person.consent_version,
                "pictures": pictures[person.id],
                "examples": examples.get(person.id),
            }
            for person in people
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def _name_place(id_: int) -> str:
    return f"name of person {id_}"


def _embedding_place(id_: int) -> str:
    # Every embedding of existing stores is sealed for this place: with other words it cannot be
    # opened. For the same reason the table is called "look" (`emorec.database.tables`).
    return f"look of person {id_}"
