"""What several faces show together, in words and as a bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from emorec.emotions import COLORS, EMOTIONS, UNSURE
from emorec.records import Face
from emorec.sessions.room import LEAST_FACES
from emorec.words import N_, _, ngettext

UNREADABLE = N_("unreadable")
_ORDER = {label: place for place, label in enumerate((*EMOTIONS, UNSURE, UNREADABLE))}


def label(face: Face) -> str:
    """Return a face's label: one of ``EMOTIONS``, "unsure" or "unreadable"."""
    return UNREADABLE if face.unreadable else face.emotion or UNSURE


def color(name: str) -> str:
    """Return the colour of a label."""
    return COLORS.get(name, COLORS[UNSURE])


def totals(faces: Sequence[Face]) -> dict[str, int]:
    """Return how many faces show each label: the most frequent first, what has none last."""
    counts = Counter(map(label, faces))
    rank = {name: (name not in EMOTIONS, -n, _ORDER[name]) for name, n in counts.items()}
    return {name: counts[name] for name in sorted(counts, key=rank.__getitem__)}


def told(faces: Sequence[Face], group_only: bool) -> bool:
    """Return whether the totals of these faces may be shown."""
    return bool(faces) and not (group_only and len(faces) < LEAST_FACES)


def count(faces: Sequence[Face]) -> str:
    """Return how many faces there are, in words."""
    n = len(faces)
    return ngettext("{n} face", "{n} faces", n).format(n=n) if n else _("No face")


def said(faces: Sequence[Face], group_only: bool = False) -> str:
    """Return what faces show in a few words, such as "25 faces, mostly happy".

    Args:
        faces: of one picture.
        group_only: whether nothing of a single face may be shown.
    """
    if not told(faces, group_only):
        return count(faces)
    counts = totals(faces)
    name, most = next(iter(counts.items()))
    if len(counts) == 1:
        return f"{count(faces)}, {_(name)}"
    if most > len(faces) / 2:
        return _("{count}, mostly {label}").format(count=count(faces), label=_(name))
    return _("{count}, mixed").format(count=count(faces))


def bar(counts: Mapping[str, int]) -> str:
    """Return HTML of a bar with the share of each label, and the numbers in words below it."""
    parts = "".join(
        f'<b style="flex:{n};background:{color(name)}">{n}</b>' for name, n in counts.items()
    )
    words = ", ".join(
        f'<span><i style="background:{color(name)}"></i>{n} {escape(_(name))}</span>'
        for name, n in counts.items()
    )
    return (
        f'<div class="emorec-share" aria-hidden="true">{parts}</div>'
        f'<p class="emorec-share-words">{words}</p>'
    )
