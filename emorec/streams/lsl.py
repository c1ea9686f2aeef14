"""Messages as streams of the Lab Streaming Layer; the only module that imports pylsl.

Every program on the local network that speaks the Lab Streaming Layer finds and can receive them.
"""

from __future__ import annotations

import hashlib
import math
import socket
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Self

import pylsl

from emorec.columns import FACE, SECOND, Column
from emorec.emotions import EMOTIONS, UNSURE
from emorec.rows import Row, json_line
from emorec.streams.feed import FACE_COLUMNS, SECOND_COLUMNS, Kind

TYPE = "Expression"
"""The type of the streams of faces and aggregates; that of markers is the usual ``Markers``."""

_LABELS = {label: place for place, label in enumerate((*EMOTIONS, UNSURE))}

# Channels are numbers: the wall clock is in the samples' time stamps, and why a face is unreadable
# is told by JSON alone.
FACE_CHANNELS = ("frame", *(name for name in FACE_COLUMNS if name != "unreadable"))
SECOND_CHANNELS = tuple(name for name in SECOND_COLUMNS if name not in ("time_s", "wall_clock"))

_UNITS = {"emotion": f"0 to {len(EMOTIONS)}"}


class LabStreams:
    """An outlet that offers three streams: aggregates, faces, and markers.

    A sample of the faces is one face in one picture; faces of one picture have the same time stamp.
    A sample of the aggregates is a second, stamped with its start. What is missing is NaN.

    Args:
        header: what the stream was made with; each stream's description holds it as JSON.
        camera: its name; with the computer's it makes the streams' ids, which stay the same from
            one start to the next, so that receivers reconnect.
        began_s: second 0 of the stream by ``time.monotonic``.
        faces: whether single faces are told.
    """

    def __init__(self, header: Row, camera: str, began_s: float, faces: bool = True) -> None:
        self._header = header
        self._camera = camera
        self._began_s = began_s
        self._faces = faces
        self._start_s = 0.0  # second 0 of the stream by LSL's clock
        self._outlets: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._start_s = pylsl.local_clock() - (monotonic() - self._began_s)
        self._outlets["second"] = self._outlet("aggregates", SECOND_CHANNELS, SECOND)
        if self._faces:
            self._outlets["picture"] = self._outlet("faces", FACE_CHANNELS, FACE)
        self._outlets["marker"] = self._outlet("markers", ("label",), {})
        return self

    def __exit__(self, *why: object) -> None:
        self._outlets.clear()  # the last reference: pylsl then ends the streams

    def send(self, kind: Kind, row: Row) -> None:
        """Send the samples of a message; never waits for a receiver."""
        outlet = self._outlets.get(kind)
        if outlet is None:
            return
        stamp_s = self._start_s + row["time_s"]
        if kind == "picture":
            for face in row["faces"]:
                face = face | {"frame": row["frame"], "emotion": _LABELS.get(face["emotion"])}
                outlet.push_sample(_numbers(face, FACE_CHANNELS), stamp_s)
        elif kind == "second":
            outlet.push_sample(_numbers(row, SECOND_CHANNELS), stamp_s)
        else:
            outlet.push_sample([row["label"]], stamp_s)

    def _outlet(self, what: str, names: tuple[str, ...], columns: Mapping[str, Column]) -> Any:
        own = f"{socket.gethostname()} {self._camera} {what}"
        info = pylsl.StreamInfo(
            f"EmoRec {what}",
            TYPE if columns else "Markers",
            len(names),
            pylsl.IRREGULAR_RATE,
            pylsl.cf_double64 if columns else pylsl.cf_string,
            # A hash, because an address may hold a password.
            "emorec-" + hashlib.sha256(own.encode()).hexdigest()[:16],
        )
        info.set_channel_labels(list(names))
        if columns:
            info.set_channel_units([_UNITS.get(name) or columns[name].unit for name in names])
            info.set_channel_types(TYPE)
        info.desc().append_child_value("emorec", json_line(self._header))
        return pylsl.StreamOutlet(info)


def _numbers(row: Row, names: Iterable[str]) -> list[float]:
    return [math.nan if row[name] is None else float(row[name]) for name in names]
