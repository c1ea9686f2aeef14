from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from emorec.calibration.examples import Examples
from emorec.database.engine import connect, file_of, reading, writing
from emorec.database.tables import EmbeddingRow, PersonExamplesRow, PersonRow, StoreRow
from emorec.deployment import Deployment
from emorec.errors import EmorecError, StoreError
from emorec.model.evaluation import Weights
from emorec.people import consent
from emorec.people.gallery import Gallery, delete_all_people, open_gallery
from emorec.people.rule import MARGIN, threshold

# What other processes run: they enrol people with three looks until told to stop.
ENROL = """
import sys
import numpy as np
from emorec.people.gallery import open_gallery
gallery = open_gallery()
print("open", flush=True)
for number in range(int(sys.argv[2])):
    gallery.enrol(sys.argv[1], np.full((3, 128), number / 100), consent=True)
    print("enrolled", flush=True)
"""


@pytest.fixture
def gallery(store: str):
    gallery = open_gallery()
    yield gallery
    gallery._engine.dispose()


def looks(seed: int, count: int = 1) -> np.ndarray:
    """Return looks of somebody: near each other, and far from those of any other seed."""
    draw = np.random.default_rng(seed)
    face = draw.normal(0, 0.1, 128)
    return (face + draw.normal(0, 0.01, (count, 128))).astype(np.float32)


def started(name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ENROL, name, str(count)], stdout=subprocess.PIPE, text=True
    )


def content(gallery: Gallery) -> bytes:
    """Return every byte of the store's files, SQLite's log among them."""
    file = file_of(gallery._engine)
    assert file is not None
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


def sealed(gallery: Gallery) -> list[bytes]:
    with reading(gallery._engine) as session:
        return [
            *session.scalars(select(PersonRow.name)),
            *session.scalars(select(EmbeddingRow.embedding)),
        ]


def test_an_empty_gallery_knows_nobody(gallery: Gallery) -> None:
    assert gallery.people() == []
    assert gallery.match(looks(1, 2)) == [None, None]
    ids, matrix = gallery.embeddings()
    assert (ids.shape, ids.dtype, matrix.shape, matrix.dtype) == ((0,), "int64", (0, 128), "f4")
    assert json.loads(gallery.export())["people"] == []
    gallery.clear()


def test_who_is_enrolled_is_recognised(gallery: Gallery) -> None:
    before = datetime.now(UTC)
    ada = gallery.enrol(" Ada ", looks(1, 3), consent=True)
    ben = gallery.enrol("ben", looks(2), consent=True)
    assert (ada.name, ada.pictures, ben.pictures) == ("Ada", 3, 1)
    assert timedelta(0) <= ada.enrolled - before < timedelta(minutes=10)
    assert gallery.people() == [ada, ben]
    assert gallery.match(np.empty((0, 128))) == []
    found = gallery.match(np.concatenate([looks(2), looks(1), looks(3)]))
    assert [match and (match.person_id, match.name) for match in found] == [
        (ben.id, "ben"),
        (ada.id, "Ada"),
        None,
    ]
    assert found[0] is not None and found[0].distance == pytest.approx(0, abs=1e-6)


def at(*chords: float, axis: int = 1) -> np.ndarray:
    """Return embeddings so far from the one at 0, on a circle; another axis is another circle."""
    found = np.zeros((len(chords), 128), np.float32)
    angles = 2 * np.arcsin(np.array(chords) / 2)
    found[:, 0], found[:, axis] = np.cos(angles), np.sin(angles)
    return found


def test_a_match_stays_under_the_threshold(gallery: Gallery) -> None:
    gallery.enrol("Ada", at(0.0), consent=True)
    (found,) = gallery.match(at(threshold(1) - 0.01))
    assert found is not None and found.distance == pytest.approx(threshold(1) - 0.01, abs=1e-4)
    assert gallery.match(at(threshold(1) + 0.01)) == [None]


def test_a_stranger_between_two_people_is_nobody(gallery: Gallery) -> None:
    """Two clusters, and a face near enough to either: whose it is cannot be told."""
    apart = 1.4 * threshold(2)
    ada = gallery.enrol("Ada", at(-0.03, 0.0, 0.03), consent=True)
    ben = gallery.enrol("Ben", at(apart - 0.03, apart, apart + 0.03), consent=True)
    for place, person in ((0.3 * apart, ada), (0.7 * apart, ben)):
        (found,) = gallery.match(at(place))
        assert found is not None and found.person_id == person.id
    middle = 2 * np.sin(np.arcsin(apart / 2) / 2)
    for place in (middle, middle - 0.4 * MARGIN, middle + 0.4 * MARGIN):
        assert max(match.distance for match in gallery.distances(at(place))) < threshold(2)
        assert gallery.match(at(place)) == [None]


def test_the_more_people_the_nearer_a_face_must_be(gallery: Gallery) -> None:
    gallery.enrol("Ada", at(0.0), consent=True)
    face = at((threshold(1) + threshold(30)) / 2)
    assert gallery.match(face) != [None]
    for number in range(1, 30):
        gallery.enrol(f"Person {number}", at(1.2, axis=1 + number), consent=True)
    assert gallery.match(face) == [None]
    assert gallery.match(at(threshold(30) - 0.005)) != [None]


def test_a_face_is_as_far_as_the_mean_of_its_pictures(gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", at(0.0), consent=True)
    near, far = threshold(1) - 0.02, threshold(1) + 0.3
    assert gallery.match([at(near)[0], at(far)[0]])[1] is None
    # One good picture among others that are far is not enough, nor is one bad among good ones.
    assert gallery.match([at(near, far, far)]) == [None]
    (found,) = gallery.match([at(0.1, -0.1, threshold(1))])
    assert found is not None and found.person_id == ada.id


def test_everybody_is_told_the_nearest_first(gallery: Gallery) -> None:
    assert gallery.distances(at(0.0)) == []
    gallery.enrol("Ada", at(0.9), consent=True)
    gallery.enrol("Ben", at(0.2), consent=True)
    told = gallery.distances(at(0.0)[0])
    assert [match.name for match in told] == ["Ben", "Ada"]
    assert [match.distance for match in told] == pytest.approx([0.2, 0.9], abs=1e-4)


@pytest.mark.parametrize("face", [np.empty((0, 128)), np.zeros((1, 127)), np.full(128, np.nan)])
def test_what_is_no_face_is_refused(face: np.ndarray, gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="Expected"):
        gallery.match([face])


@pytest.mark.parametrize("consent", [False, None, 0, "no"])
def test_nobody_is_enrolled_without_consent(consent, gallery: Gallery) -> None:
    with pytest.raises(EmorecError, match="consent"):
        gallery.enrol("Ada", looks(1), consent=consent)
    assert gallery.people() == []


@pytest.mark.parametrize(
    ("name", "embeddings", "error"),
    [
        ("", looks(1), EmorecError),
        ("Ada", np.empty((0, 128)), ValueError),
        ("Ada", np.full((1, 128), np.nan), ValueError),
        ("Ada", np.zeros((1, 127)), ValueError),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(name, embeddings, error, gallery: Gallery) -> None:
    with pytest.raises(error):
        gallery.enrol(name, embeddings, consent=True)
    ada = gallery.enrol("Ada", looks(1), consent=True)
    with pytest.raises(error):
        gallery.rename(ada.id, name) if error is EmorecError else gallery.add(ada.id, embeddings)
    assert gallery.people() == [ada]


def test_two_people_of_one_name_are_two(gallery: Gallery) -> None:
    first = gallery.enrol("Ada", looks(1, 2), consent=True)
    second = gallery.enrol("Ada", looks(2), consent=True)
    assert gallery.people() == [first, second] and first.id != second.id
    found = gallery.match(np.concatenate([looks(1), looks(2)]))
    assert [match and match.person_id for match in found] == [first.id, second.id]
    gallery.delete(first.id)
    assert gallery.people() == [second]
    assert [match and match.person_id for match in gallery.match(looks(2))] == [second.id]


def test_an_id_is_never_used_again(gallery: Gallery) -> None:
    used = []
    for _ in range(3):
        used.append(gallery.enrol("Ada", looks(1), consent=True).id)
        gallery.delete(used[-1])
    gallery.clear()
    used.append(gallery.enrol("Ada", looks(1), consent=True).id)
    assert len(set(used)) == 4


def test_looks_are_added_and_names_changed(gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True)
    gallery.match(looks(1))
    gallery.add(ada.id, looks(1, 2))
    gallery.rename(ada.id, " Ada L. ")
    assert [(person.name, person.pictures) for person in gallery.people()] == [("Ada L.", 3)]
    assert [match and match.name for match in gallery.match(looks(1))] == ["Ada L."]


@pytest.mark.parametrize(
    "act",
    [
        lambda gallery: gallery.add(99, looks(1)),
        lambda gallery: gallery.rename(99, "Ada"),
        lambda gallery: gallery.delete(99),
    ],
    ids=["add", "rename", "delete"],
)
def test_who_is_not_there_is_named_by_id(act, gallery: Gallery) -> None:
    with pytest.raises(EmorecError, match="nobody has the id 99"):
        act(gallery)


def test_the_export_holds_all_that_is_kept_and_nothing_else(gallery: Gallery) -> None:
    ada = gallery.enrol("Ädä", looks(1, 2), consent=True)
    gallery.enrol("Ben", looks(2), consent=True)
    first, second = json.loads(gallery.export())["people"]
    assert (first["id"], first["name"], second["name"]) == (ada.id, "Ädä", "Ben")
    assert datetime.fromisoformat(first["enrolled"]) == ada.enrolled
    assert first["consent_version"] == consent.VERSION
    kept = np.array([look["embedding"] for look in first["pictures"]], np.float32)
    assert np.array_equal(kept, looks(1, 2))
    assert len(second["pictures"]) == 1


def test_without_the_key_the_database_tells_nothing(gallery: Gallery) -> None:
    gallery.enrol("Ada Lovelace", looks(1), consent=True)
    for value in sealed(gallery):
        assert b"Ada" not in value and looks(1).tobytes()[:8] not in value
    if file_of(gallery._engine):
        assert b"Ada" not in content(gallery) and looks(1).tobytes()[:8] not in content(gallery)


def test_a_changed_row_is_refused_and_can_be_deleted(gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True)
    ben = gallery.enrol("Ben", looks(2), consent=True)
    with writing(gallery._engine) as session:
        value = session.scalars(select(EmbeddingRow.embedding).filter_by(person_id=ada.id)).one()
        changed = value[:40] + bytes([value[40] ^ 1]) + value[41:]
        session.execute(update(EmbeddingRow).filter_by(person_id=ada.id).values(embedding=changed))
    fresh = open_gallery()
    for read in (fresh.embeddings, fresh.export, lambda: fresh.match(looks(1))):
        with pytest.raises(StoreError, match=f"look of person {ada.id}.*people delete {ada.id}"):
            read()
    fresh.delete(ada.id)
    assert [match and match.person_id for match in fresh.match(looks(2))] == [ben.id]


@pytest.mark.parametrize(("row", "column"), [(PersonRow, "name"), (EmbeddingRow, "embedding")])
def test_a_row_that_was_copied_to_another_person_is_refused(row, column, gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True)
    ben = gallery.enrol("Ben", looks(2), consent=True)
    owner = PersonRow.id if row is PersonRow else EmbeddingRow.person_id
    with writing(gallery._engine) as session:
        value = session.scalars(select(getattr(row, column)).where(owner == ada.id)).one()
        session.execute(update(row).where(owner == ben.id).values({column: value}))
    with pytest.raises(StoreError, match=f"of person {ben.id}: was changed"):
        open_gallery().match(looks(1))


@pytest.mark.parametrize("act", ["delete", "clear", "rename"])
def test_nothing_of_what_was_deleted_is_left(act: str, gallery: Gallery) -> None:
    if file_of(gallery._engine) is None:
        pytest.skip("PostgreSQL's files are its keeper's matter")
    people = [gallery.enrol(f"Person {n}", looks(n, 9), consent=True) for n in range(12)]
    for person in people[3:9]:  # pages are split, filled and joined
        gallery.add(person.id, looks(person.id, 5))
    before = sealed(gallery)
    assert all(value in content(gallery) for value in before)
    if act == "clear":
        gallery.clear()
    else:
        for person in people[2:10]:
            gallery.delete(person.id) if act == "delete" else gallery.rename(person.id, "X")
    after = sealed(gallery)
    gone = set(before) - set(after)
    assert len(gone) == {"delete": 8 + 72 + 30, "clear": 12 + 108 + 30, "rename": 8}[act]
    left = content(gallery)
    assert [value for value in gone if value[16:48] in left] == []
    assert all(value in left for value in after)


def test_memory_forgets_with_the_store(gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True)
    gallery.match(looks(1))
    assert gallery._index is not None
    gallery.delete(ada.id)
    assert gallery._index is None
    gallery.enrol("Ada", looks(1), consent=True)
    gallery.match(looks(1))
    gallery.clear()
    assert gallery._index is None


def test_what_another_writes_is_matched_at_once(gallery: Gallery) -> None:
    other = open_gallery()
    assert gallery.match(looks(1)) == [None]
    ada = other.enrol("Ada", looks(1), consent=True)
    assert [match and match.name for match in gallery.match(looks(1))] == ["Ada"]
    other.rename(ada.id, "Ben")
    assert [match and match.name for match in gallery.match(looks(1))] == ["Ben"]
    other.delete(ada.id)
    assert gallery.match(looks(1)) == [None]
    other._engine.dispose()


def test_what_nobody_changed_is_not_read_again(gallery: Gallery) -> None:
    gallery.enrol("Ada", looks(1), consent=True)
    assert gallery.embeddings()[1] is gallery.embeddings()[1]


@pytest.mark.parametrize(
    "store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
def test_processes_that_write_at_once_lose_nothing(gallery: Gallery) -> None:
    processes = [started(name, 8) for name in ("Ada", "Ben")]
    ids = [gallery.enrol("Cleo", looks(1), consent=True).id for _ in range(4)]
    for id_ in ids[::2]:
        gallery.delete(id_)
    said = [process.communicate()[0].splitlines() for process in processes]
    assert said == [["open"] + ["enrolled"] * 8] * 2
    names = [person.name for person in gallery.people()]
    assert names == ["Ada"] * 8 + ["Ben"] * 8 + ["Cleo"] * 2
    assert gallery.embeddings()[1].shape == (2 * 8 * 3 + 2, 128)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_who_is_killed_while_enrolling_leaves_all_or_nothing(gallery: Gallery) -> None:
    known = 0
    for pause_s in (0.0, 0.013):
        process = started("Ada", 10_000)
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(4)]
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        said += process.communicate()[0].splitlines()
        people = gallery.people()
        assert all(person.pictures == 3 and person.name == "Ada" for person in people)
        # What was said is kept; of the last one, it may be kept without having been said.
        assert len(people) - known - (len(said) - 1) in (0, 1)
        known = len(people)
    fresh = open_gallery()
    assert fresh.embeddings()[1].shape == (3 * known, 128)
    fresh.enrol("Ben", looks(1), consent=True)
    assert [person.name for person in gallery.people()] == ["Ada"] * known + ["Ben"]


def test_everybody_can_be_deleted_without_the_key(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.enrol("Ada", looks(1), consent=True)
    monkeypatch.setenv("EMOREC_KEY", "A" * 43 + "=")
    with pytest.raises(StoreError, match="is not the key"):
        open_gallery()
    chosen = Deployment.from_env()
    delete_all_people(connect(chosen.database_url, chosen.data_folder))
    assert gallery.people() == []
    fresh = open_gallery()
    fresh.enrol("Ben", looks(2), consent=True)
    # Who still holds the key before sees that it is no longer the store's.
    with pytest.raises(StoreError, match="the key in use: is not the key"):
        gallery.enrol("Cleo", looks(3), consent=True)


def test_a_database_that_goes_away_is_one_line(gallery: Gallery) -> None:
    file = file_of(gallery._engine)
    if file is None:
        pytest.skip("a server of its own would have to go")
    gallery._engine.dispose()
    Path(file).write_bytes(b"overwritten by something else " * 999)
    with pytest.raises(StoreError, match=rf"^{file}: .*\.$"):
        gallery.match(looks(1))


def examples_of(*emotions: str) -> Examples:
    """Return what was learned for a network of two features from two faces of each emotion."""
    return Examples(
        model=Weights(name="some network", sha256="a" * 64),
        counts=dict.fromkeys(emotions, 2),
        network_share=0.9,
        weights=((0.5, -0.25),) * 7,
    )


def test_examples_are_kept_with_their_person_replaced_exported_and_forgotten(
    gallery: Gallery,
) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True).id
    ben = gallery.enrol("Ben", looks(2), consent=True).id
    assert gallery.examples(ada) is None and gallery.examples(999) is None
    gallery.keep_examples(ada, examples_of("sad", "neutral"), consent=True)
    gallery.keep_examples(ada, examples_of("happy", "neutral"), consent=True)
    other = open_gallery()  # as another process sees it
    assert other.examples(ada) == examples_of("happy", "neutral") == gallery.examples(ada)
    assert other.examples(ada) is other.examples(ada) and other.examples(ben) is None
    kept = {person.id: person.examples_kept for person in other.people()}
    assert kept[ada] is not None and kept[ben] is None

    told = {person["id"]: person["examples"] for person in json.loads(gallery.export())["people"]}
    assert told[ben] is None and told[ada]["counts"] == {"happy": 2, "neutral": 2}
    assert told[ada]["consent_version"] == consent.EXAMPLES_VERSION
    assert told[ada]["weights"][0] == [0.5, -0.25]

    gallery.forget_examples(ada)
    assert other.examples(ada) is None and gallery.examples(ada) is None
    assert [person.examples_kept for person in gallery.people()] == [None, None]
    gallery.forget_examples(ada)
    other.close()


@pytest.mark.parametrize("how", ["forget", "delete", "clear"])
def test_deleted_examples_leave_no_byte_behind(how: str, gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True).id
    gallery.keep_examples(ada, examples_of("sad", "neutral"), consent=True)
    with reading(gallery._engine) as session:
        (sealed_,) = session.scalars(select(PersonExamplesRow.examples))
    assert b"network" not in sealed_
    if gallery._engine.dialect.name == "sqlite":
        assert sealed_ in content(gallery)
    match how:
        case "forget":
            gallery.forget_examples(ada)
        case "delete":
            gallery.delete(ada)
        case _:
            gallery.clear()
    with reading(gallery._engine) as session:
        assert not session.scalars(select(PersonExamplesRow.examples)).all()
    if gallery._engine.dialect.name == "sqlite":
        assert sealed_ not in content(gallery)


def test_examples_need_consent_a_person_and_their_own_place(gallery: Gallery) -> None:
    ada = gallery.enrol("Ada", looks(1), consent=True).id
    ben = gallery.enrol("Ben", looks(2), consent=True).id
    with pytest.raises(EmorecError, match="consent"):
        gallery.keep_examples(ada, examples_of("sad"), consent=False)
    with pytest.raises(EmorecError, match="nobody has the id 99"):
        gallery.keep_examples(99, examples_of("sad"), consent=True)
    gallery.keep_examples(ada, examples_of("sad"), consent=True)
    with writing(gallery._engine) as session:  # somebody gives them to another person
        session.execute(update(PersonExamplesRow).values(person_id=ben))
        session.execute(update(StoreRow).values(people_revision=StoreRow.people_revision + 1))
    with pytest.raises(StoreError, match=f"examples of person {ben}"):
        gallery.examples(ben)
    gallery.forget_examples(ben)
    assert gallery.examples(ben) is None
