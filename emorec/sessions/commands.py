"""`emorec sessions …`: kept sessions from the command line.

Each command imports what it needs when it runs, so that `emorec --help` stays fast.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorec.clock import clock
from emorec.errors import EmorecError, NoStoreError

if TYPE_CHECKING:
    from emorec.sessions.store import SessionStore

_KINDS = ("csv", "faces-csv", "json", "parquet", "faces-parquet", "xlsx", "png", "html")


def add_parser(commands: Any) -> None:
    """Add ``sessions`` and its commands to the object that ``add_subparsers`` returned."""
    sessions = commands.add_parser("sessions", help="kept sessions: list, show, export, delete")
    commands = sessions.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser(
        "list", help="id, start, length, faces, source and title, newest first"
    )
    add.add_argument("--search", default="", metavar="TEXT", help="in titles, notes and markers")
    add.set_defaults(command=list_sessions)

    add = commands.add_parser("show", help="the figures of a session as JSON")
    add.add_argument("id", type=int, metavar="ID")
    add.set_defaults(command=show)

    add = commands.add_parser("export", help="write a session to a file")
    add.add_argument("id", type=int, metavar="ID")
    add.add_argument(
        "--format",
        choices=_KINDS,
        default="csv",
        help="a row for each second, or with faces- for each second and face (default: csv)",
    )
    add.add_argument(
        "--out", type=Path, metavar="FILE", help="file or folder (default: the current folder)"
    )
    add.set_defaults(command=export)

    add = commands.add_parser("delete", help="delete sessions")
    add.add_argument("ids", type=int, nargs="*", metavar="ID")
    add.add_argument("--all", action="store_true", help="all sessions of everybody")
    add.add_argument("--yes", action="store_true", help="confirms --all; asks nothing")
    add.set_defaults(command=delete)


def list_sessions(args: argparse.Namespace) -> int:
    """Print one line for each session."""
    try:
        with _store() as store:
            found, place = store.sessions(search=args.search), store.place
    except NoStoreError as error:
        found, place = [], error.place
    if not found:
        what = f"No session with {args.search!r}" if args.search else "No sessions kept"
        print(f"{what} in {place}")
        return 0
    print(f"{'id':>6}  {'start (UTC)':<16}  {'length':>8}  {'faces':>5}  {'source':<7}  title")
    for each in found:
        print(
            f"{each.id:>6}  {each.started_at:%Y-%m-%d %H:%M}  {clock(each.duration_s):>8}"
            f"  {each.faces_seen:>5}  {each.source:<7}  {each.title}"
        )
    return 0


def show(args: argparse.Namespace) -> int:
    """Print what a session is, and its figures."""
    from emorec.rows import to_json
    from emorec.sessions.report import of_stored
    from emorec.sessions.tables import marker_rows

    with _store() as store:
        stored, report = store.session(args.id), of_stored(store, args.id)
    kept = {
        "id": stored.id,
        "source": stored.source,
        "title": stored.title,
        "start": stored.started_at.isoformat(),
        "purpose": stored.purpose,
        "notes": stored.notes,
        "delete_after": stored.delete_after and stored.delete_after.isoformat(),
        "single_faces": stored.keeps_faces,
        "group_only": stored.group_only,
        "ended": stored.ended,
    }
    print(
        to_json(stored.made_with, session=kept, summary=report.summary, markers=marker_rows(report))
    )
    return 0


def export(args: argparse.Namespace) -> int:
    """Write a session to a file that only its owner may read, and print the file's name."""
    from emorec.sessions.downloads import file_name, write
    from emorec.sessions.report import of_stored

    with _store() as store:
        report = of_stored(store, args.id)
    content = write(report, args.format)
    out = args.out or Path()
    file = out / file_name(report.started_at, args.format) if out.is_dir() else out
    try:
        # Other users may be allowed to read an existing file, so it is deleted and made again.
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise EmorecError(f"{file}: cannot be written ({error.strerror or error}).") from None
    print(file)
    return 0


def delete(args: argparse.Namespace) -> int:
    """Delete the sessions with the given ids, or all."""
    if args.all == bool(args.ids):
        raise EmorecError(
            "sessions delete: name the ids that `emorec sessions list` shows, or --all."
        )
    if args.all and not args.yes:
        _confirm()
    code = 0
    with _store() as store:
        if args.all:
            store.delete_all()
        for id_ in args.ids:
            try:
                store.delete(id_)
            except EmorecError as error:
                print(f"emorec: {error}", file=sys.stderr, flush=True)
                code = 2
    return code


def _store() -> closing[SessionStore]:
    from emorec.sessions.store import open_sessions

    return closing(open_sessions(make=False))


def _confirm() -> None:
    try:
        answer = input("Delete all sessions of everybody, for ever? Type yes: ")
    except EOFError:  # standard input is no terminal, so there is no answer
        answer = ""
    if answer.strip().lower() != "yes":
        raise EmorecError("not confirmed, so nothing was done; --yes confirms it.")
