"""`emorec people …`: the gallery from the command line.

Each command imports what it needs when it runs, so that `emorec --help` stays fast.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorec.errors import EmorecError, ImageError, NoStoreError
from emorec.people.extra import require
from emorec.terminal import plain, print_line

if TYPE_CHECKING:
    from emorec.people.embedding import FaceEmbedder
    from emorec.people.enrolment import Embedding
    from emorec.people.gallery import Gallery
    from emorec.recognizer import EmotionRecognizer


def add_parser(commands: Any) -> None:
    """Add ``people`` and its commands to the object that ``add_subparsers`` returned."""
    people = commands.add_parser("people", help="people recognised by name: enrol, list, delete")
    commands = people.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("import", help="enrol people from folders of pictures")
    add.add_argument(
        "folder", type=Path, metavar="DIR", help="one sub-folder per person; its name is the name"
    )
    add.add_argument(
        "--consent", action="store_true", help="confirms that each person agreed; asks nothing"
    )
    add.set_defaults(command=import_folder)

    add = commands.add_parser("list", help="id, number of pictures, enrolment day and name of all")
    add.set_defaults(command=list_people)

    add = commands.add_parser("rename", help="change a person's name")
    add.add_argument("id", type=int, metavar="ID")
    add.add_argument("name", metavar="NAME")
    add.set_defaults(command=rename)

    add = commands.add_parser("delete", help="delete people at once and for ever")
    add.add_argument("ids", nargs="*", type=int, metavar="ID")
    add.add_argument("--all", action="store_true", help="all people; works without the key too")
    add.add_argument("--yes", action="store_true", help="do not ask before deleting all people")
    add.set_defaults(command=delete)

    add = commands.add_parser("export", help="all stored data of all people, as JSON")
    add.add_argument("--out", type=Path, metavar="FILE", help="default: print it")
    add.set_defaults(command=export)


def import_folder(args: argparse.Namespace) -> int:
    """Enrol one person per sub-folder; a refused picture does not stop the others."""
    require()
    from emorec.people import consent
    from emorec.people.embedding import FaceEmbedder
    from emorec.recognizer import EmotionRecognizer

    folders = _folders(args.folder)
    if not args.consent:
        print(consent.TEXT)
        _confirm(f"Has each of {len(folders)} people in {args.folder} agreed to this?", "--consent")
    code, recognizer = 0, EmotionRecognizer()
    with _gallery() as gallery, closing(FaceEmbedder()) as embedder:
        for folder, name in folders.items():
            embeddings, refused = _embeddings(_pictures(folder), recognizer, embedder, gallery)
            for line in refused:
                code = _print_error(line)
            if not embeddings:
                code = _print_error(f"{folder}: not enrolled, no picture in it can be used.")
                continue
            person = gallery.enrol(name, embeddings, consent=True)
            counted = f"enrolled with id {person.id}, pictures: {person.pictures}"
            print(f"{plain(name)}: {counted}", flush=True)
    return code


def list_people(args: argparse.Namespace) -> int:
    """Print one line per person; two people of the same name have different ids."""
    require()
    try:
        with _gallery(make=False) as gallery:
            people, place = gallery.people(), gallery.place
    except NoStoreError as error:
        people, place = [], error.place
    if not people:
        print(f"Nobody is enrolled in {place}")
        return 0
    print(f"{'id':>6}  {'pictures':>8}  {'enrolled':<10}  name")
    for person in people:
        name = plain(person.name)
        print(f"{person.id:>6}  {person.pictures:>8}  {person.enrolled:%Y-%m-%d}  {name}")
    return 0


def rename(args: argparse.Namespace) -> int:
    """Change a person's name."""
    require()
    with _gallery(make=False) as gallery:
        gallery.rename(args.id, args.name)
    return 0


def delete(args: argparse.Namespace) -> int:
    """Delete the people with the given ids, or all people."""
    if args.all == bool(args.ids):
        raise EmorecError("people delete: name the ids that `emorec people list` shows, or --all.")
    require()
    if args.all:
        return _delete_all(args.yes)
    code = 0
    with _gallery(make=False) as gallery:
        for id_ in args.ids:
            try:
                gallery.delete(id_)
            except EmorecError as error:
                code = _print_error(str(error))
    return code


def export(args: argparse.Namespace) -> int:
    """Print or write the stored data of all people; only the file's owner may read it."""
    require()
    with _gallery(make=False) as gallery:
        document = gallery.export()
    if args.out is None:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return 0
    try:
        # Other users may be allowed to read an existing file, so it is deleted and made again.
        args.out.unlink(missing_ok=True)
        with os.fdopen(
            os.open(args.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        ) as file:
            file.write(document)
    except OSError as error:
        raise EmorecError(f"{args.out}: cannot be written ({error.strerror or error}).") from None
    return 0


def _delete_all(yes: bool) -> int:
    from emorec.database.engine import connect
    from emorec.deployment import STORE, Deployment
    from emorec.people.gallery import delete_all_people

    if not yes:
        _confirm("Delete everybody, for ever?", "--yes")
    chosen = Deployment.from_env(only=STORE)
    engine = connect(chosen.database_url, chosen.data_folder, make=False)
    delete_all_people(engine)
    engine.dispose()
    return 0


def _gallery(make: bool = True) -> closing[Gallery]:
    from emorec.people.gallery import open_gallery

    return closing(open_gallery(make=make))


def _confirm(question: str, option: str) -> None:
    try:
        answer = input(f"{question} Type yes: ")
    except EOFError:  # standard input is no terminal, so there is no answer
        answer = ""
    if answer.strip().lower() != "yes":
        raise EmorecError(f"not confirmed, so nothing was done; {option} confirms it.")


def _folders(folder: Path) -> dict[Path, str]:
    """Return the people's folders and names; all names are checked before the first enrolment."""
    from emorec.people.names import checked_name

    names = {}
    for path in _content(folder):
        if path.is_dir() and not path.name.startswith("."):
            try:
                names[path] = checked_name(path.name)
            except EmorecError as error:
                raise EmorecError(f"{path}: {error}") from None
    if not names:
        raise EmorecError(f"{folder}: expected one sub-folder per person, with pictures inside.")
    return names


def _pictures(folder: Path) -> list[Path]:
    from emorec.media.photo import SUFFIXES

    return [path for path in _content(folder) if path.suffix.lower()[1:] in SUFFIXES]


def _content(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise EmorecError(f"{folder}: cannot be read ({error.strerror or error}).") from None


def _embeddings(
    pictures: list[Path], recognizer: EmotionRecognizer, embedder: FaceEmbedder, gallery: Gallery
) -> tuple[list[Embedding], list[str]]:
    """Return the embeddings to enrol, and a line for each picture that is refused."""
    from emorec.media.photo import one_picture, open_photo
    from emorec.people.enrolment import MOST_PICTURES, embedding_of, remarks

    found: dict[Path, Embedding] = {}
    refused = []
    for picture in pictures:
        if len(found) == MOST_PICTURES:
            refused.append(f"{picture}: not needed, {MOST_PICTURES} pictures are enough.")
            continue
        try:
            with one_picture(str(picture)):
                photo = open_photo(picture)
                found[picture] = embedding_of(photo.image_bgr, recognizer, embedder)
            if photo.note:
                print_line(f"{picture}: holds {photo.note}")
        except ImageError as error:  # its text begins with the file's name
            refused.append(str(error))
        except EmorecError as error:
            refused.append(f"{picture}: {error}")
    accepted = []
    for (picture, embedding), remark in zip(
        found.items(), remarks(list(found.values()), gallery), strict=True
    ):
        if remark and remark.refused:
            refused.append(f"{picture}: {remark.text}")
            continue
        accepted.append(embedding)
        if remark:
            print_line(f"{picture}: {remark.text}")
    return accepted, refused


def _print_error(line: str) -> int:
    """Print an error line and return the exit code of a failure."""
    print_line(line)
    return 2


def recognition() -> tuple[FaceEmbedder, Gallery]:
    """Return what a command recognises people with: the embedder, and the deployment's gallery.

    Raises:
        EmorecError: a package is missing, or the store or its key cannot be used.
    """
    require()
    from emorec.people.embedding import FaceEmbedder
    from emorec.people.gallery import open_gallery

    return FaceEmbedder(), open_gallery()
