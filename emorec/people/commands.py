"""`emorec people …`: the gallery from the command line; nothing heavy is loaded before it runs."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorec.errors import EmorecError, ImageError
from emorec.people.extra import require

if TYPE_CHECKING:
    from emorec.people.embedding import FaceEmbedder
    from emorec.people.enrolment import Embedding
    from emorec.people.gallery import Gallery
    from emorec.recognizer import EmotionRecognizer


def add_parser(commands: Any) -> None:
    """Add ``people`` and its commands to what ``add_subparsers`` returned."""
    people = commands.add_parser("people", help="who is recognised by name: enrol, list, delete")
    commands = people.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("import", help="enrol people from folders of pictures")
    add.add_argument(
        "folder", type=Path, metavar="DIR", help="one sub-folder a person, named as the person is"
    )
    add.add_argument(
        "--consent", action="store_true", help="each of them agreed to what is asked otherwise"
    )
    add.set_defaults(command=import_folder)

    add = commands.add_parser("list", help="id, looks, day of enrolment and name of everybody")
    add.set_defaults(command=list_people)

    add = commands.add_parser("rename", help="call a person by another name")
    add.add_argument("id", type=int, metavar="ID")
    add.add_argument("name", metavar="NAME")
    add.set_defaults(command=rename)

    add = commands.add_parser("delete", help="forget people at once and for ever")
    add.add_argument("ids", nargs="*", type=int, metavar="ID")
    add.add_argument("--all", action="store_true", help="everybody; works without the key too")
    add.add_argument("--yes", action="store_true", help="do not ask before deleting everybody")
    add.set_defaults(command=delete)

    add = commands.add_parser("export", help="all that is kept of everybody, as JSON")
    add.add_argument("--out", type=Path, metavar="FILE", help="default: print it")
    add.set_defaults(command=export)


def import_folder(args: argparse.Namespace) -> int:
    """Enrol a person for each sub-folder; a picture that is refused does not stop the others."""
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
            looks, refused = _looks(_pictures(folder), recognizer, embedder, gallery)
            for line in refused:
                code = _complain(line)
            if not looks:
                code = _complain(f"{folder}: not enrolled, no picture in it can be used.")
                continue
            person = gallery.enrol(name, looks, consent=True)
            print(f"{name}: enrolled with id {person.id}, looks: {person.looks}", flush=True)
    return code


def list_people(args: argparse.Namespace) -> int:
    """Print a line a person; the id tells two of one name apart."""
    require()
    with _gallery() as gallery:
        people = gallery.people()
    for person in people:
        print(f"{person.id:>6}  {person.looks:>3}  {person.enrolled:%Y-%m-%d}  {person.name}")
    if not people:
        print("nobody is enrolled")
    return 0


def rename(args: argparse.Namespace) -> int:
    """Give a person another name."""
    require()
    with _gallery() as gallery:
        gallery.rename(args.id, args.name)
    return 0


def delete(args: argparse.Namespace) -> int:
    """Forget some people, or everybody."""
    if args.all == bool(args.ids):
        raise EmorecError("people delete: name the ids that `emorec people list` shows, or --all.")
    require()
    if args.all:
        return _delete_all(args.yes)
    code = 0
    with _gallery() as gallery:
        for id_ in args.ids:
            try:
                gallery.delete(id_)
            except EmorecError as error:
                code = _complain(str(error))
    return code


def export(args: argparse.Namespace) -> int:
    """Print or write what is kept of everybody; the file is for its owner alone."""
    require()
    with _gallery() as gallery:
        document = gallery.export()
    if args.out is None:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return 0
    try:
        # A file that is there already may be open to others: it is replaced, not filled.
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
    from emorec.people.gallery import forget_everybody

    if not yes:
        _confirm("Delete everybody, for ever?", "--yes")
    chosen = Deployment.from_env(only=STORE)
    engine = connect(chosen.database_url, chosen.data_folder)
    forget_everybody(engine)
    engine.dispose()
    return 0


def _gallery() -> closing[Gallery]:
    from emorec.people.gallery import open_gallery

    return closing(open_gallery())


def _confirm(question: str, option: str) -> None:
    try:
        answer = input(f"{question} Type yes: ")
    except EOFError:  # nobody is there to answer
        answer = ""
    if answer.strip().lower() != "yes":
        raise EmorecError(f"not confirmed, so nothing was done; {option} confirms it.")


def _folders(folder: Path) -> dict[Path, str]:
    """Return the people's folders and names; all names are checked before anything is done."""
    from emorec.people.names import checked_name

    names = {}
    for path in _content(folder):
        if path.is_dir() and not path.name.startswith("."):
            try:
                names[path] = checked_name(path.name)
            except EmorecError as error:
                raise EmorecError(f"{path}: {error}") from None
    if not names:
        raise EmorecError(f"{folder}: expected one sub-folder a person, with pictures inside.")
    return names


def _pictures(folder: Path) -> list[Path]:
    from emorec.media.photo import SUFFIXES

    return [path for path in _content(folder) if path.suffix.lower()[1:] in SUFFIXES]


def _content(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise EmorecError(f"{folder}: cannot be read ({error.strerror or error}).") from None


def _looks(
    pictures: list[Path], recognizer: EmotionRecognizer, embedder: FaceEmbedder, gallery: Gallery
) -> tuple[list[Embedding], list[str]]:
    """Return the looks that can be kept, and a line for each picture that gives none."""
    from emorec.media.photo import one_picture, open_photo
    from emorec.people.enrolment import MOST_PICTURES, look_at, remarks

    looks: dict[Path, Embedding] = {}
    refused = []
    for picture in pictures:
        if len(looks) == MOST_PICTURES:
            refused.append(f"{picture}: not needed, {MOST_PICTURES} pictures are enough.")
            continue
        try:
            with one_picture(str(picture)):
                photo = open_photo(picture)
                looks[picture] = look_at(photo.image_bgr, recognizer, embedder)
            if photo.note:
                _complain(f"{picture}: holds {photo.note}")
        except ImageError as error:  # it names the file itself
            refused.append(str(error))
        except EmorecError as error:
            refused.append(f"{picture}: {error}")
    kept = []
    for (picture, look), remark in zip(
        looks.items(), remarks(list(looks.values()), gallery), strict=True
    ):
        if remark and remark.refused:
            refused.append(f"{picture}: {remark.text}")
            continue
        kept.append(look)
        if remark:
            _warn(f"{picture}: {remark.text}")
    return kept, refused


def _complain(line: str) -> int:
    _warn(line)
    return 2


def _warn(line: str) -> None:
    print(f"emorec: {line}", file=sys.stderr, flush=True)
