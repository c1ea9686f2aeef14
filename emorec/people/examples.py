"""Examples of people's expressions in the store: sealed, at most one set for each person."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from emorec.calibration.examples import Examples
from emorec.database.tables import PersonExamplesRow
from emorec.database.vault import Vault
from emorec.errors import StoreError
from emorec.model import typed_json
from emorec.people import consent
from emorec.words import N_


def put(session: Session, vault: Vault, person_id: int, examples: Examples) -> None:
    """Store the examples of a person who agreed, in place of earlier ones."""
    content = json.dumps(typed_json.as_json(examples), allow_nan=False).encode()
    session.merge(
        PersonExamplesRow(
            person_id=person_id,
            examples=vault.seal(content, _place(person_id)),
            consented_at=datetime.now(UTC),
            consent_version=consent.EXAMPLES_VERSION,
        )
    )


def remove(session: Session, person_id: int) -> None:
    """Delete the examples of a person who has some."""
    session.execute(delete(PersonExamplesRow).where(PersonExamplesRow.person_id == person_id))


def opened(row: PersonExamplesRow, unseal: Callable[[int, bytes, str], bytes]) -> Examples:
    """Return the examples of a row.

    Args:
        row: of the store.
        unseal: opens a sealed value: person's id, value, place.

    Raises:
        StoreError: the row was changed outside EmoRec, or an older or newer EmoRec wrote it.
    """
    content = unseal(row.person_id, row.examples, _place(row.person_id))
    try:
        found: Examples = typed_json.typed(Examples, json.loads(content))
    except ValueError as error:
        raise StoreError(
            N_("examples of person {id}: {why} Delete them on the People page."),
            id=row.person_id,
            why=error,
        ) from None
    return found


def _place(person_id: int) -> str:
    return f"examples of person {person_id}"
