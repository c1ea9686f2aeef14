"""Every column that is written out, with its type, its unit and its meaning.

`emorec.rows` writes tables with these columns, and the XLSX file of a session explains them by the
texts below. A column has the same name and the same meaning in every output.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from emorec.emotions import EMOTIONS, UNSURE


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        dtype: its pandas dtype.
        unit: of its numbers; "" where it has none.
        meaning: in one line, and when it is missing.
    """

    dtype: str
    unit: str
    meaning: str


_SECOND = "s"
_SHARE = "0 to 1"
_FACE_SECONDS = "face-seconds"
_VALENCE = "-1 to 1"
_COUNT = "faces"

FACE: Mapping[str, Column] = MappingProxyType(
    {
        "file": Column(
            "string", "", "the picture's or video's name; only where one table has several of them"
        ),
        "frame": Column("int64", "", "number of the picture in its stream, from 0"),
        "time_s": Column(
            "float64", _SECOND, "time from the start of the stream, by the media clock"
        ),
        "wall_clock": Column(
            "string", "", "date and time of day, ISO 8601 with offset; only of a live session"
        ),
        "width_px": Column("int64", "pixels", "width of the picture"),
        "height_px": Column("int64", "pixels", "height of the picture"),
        "track_id": Column("int64", "", "number of the face: 1 or more, unique in its stream"),
        "x1_px": Column("int64", "pixels", "left side of the face's box"),
        "y1_px": Column("int64", "pixels", "top of the face's box"),
        "x2_px": Column("int64", "pixels", "right side of the box: the first column outside"),
        "y2_px": Column("int64", "pixels", "bottom of the box: the first row outside"),
        "score": Column(
            "float64", _SHARE, "the detector's confidence; missing where it gives none"
        ),
        "age_s": Column("float64", _SECOND, "time since the face was first seen"),
        "unseen_s": Column("float64", _SECOND, "time since the face was last found or followed"),
        **{
            emotion: Column(
                "float32",
                _SHARE,
                f"smoothed probability of {emotion}; missing where the face was not classified",
            )
            for emotion in EMOTIONS
        },
        "emotion": Column(
            "category",
            "",
            f'the label: one of {", ".join(EMOTIONS)}, or "{UNSURE}"; missing where not classified',
        ),
        "confidence": Column(
            "float32", _SHARE, 'probability of the label; of the likeliest emotion if "unsure"'
        ),
        "valence": Column("float32", _VALENCE, "pleasant minus unpleasant probability"),
        "unreadable": Column(
            "string", "", "why the face could not be labelled, in words; missing where it could"
        ),
        "name": Column("string", "", "of the person; missing where the person was not recognised"),
    }
)
"""A face in one picture: the columns of `emorec.rows.face_rows`."""

SECOND: Mapping[str, Column] = MappingProxyType(
    {
        "time_s": Column("float64", _SECOND, "start of the second, from the start of the stream"),
        "wall_clock": Column("string", "", "date and time of day, ISO 8601 with offset"),
        "observed_s": Column("float64", _SECOND, "time of this second that pictures cover"),
        "faces": Column("int64", _COUNT, "different faces that were read in this second"),
        "most_at_once": Column("int64", _COUNT, "most faces read in one picture of this second"),
        "in_view": Column("int64", _COUNT, "most faces in view at once, read or not readable"),
        "read_s": Column("float64", _FACE_SECONDS, "sum of the times for which faces were read"),
        "unreadable_s": Column(
            "float64", _FACE_SECONDS, "sum of the times for which faces could not be read"
        ),
        **{
            emotion: Column(
                "float64",
                _SHARE,
                f"mean probability of {emotion} by the network's own reading, weighted by time;"
                " missing where no face was read",
            )
            for emotion in EMOTIONS
        },
        **{
            f"label_{label}": Column(
                "float64", _SHARE, f"share of the read time for which the label was {label}"
            )
            for label in (*EMOTIONS, UNSURE)
        },
        "unreadable_share": Column(
            "float64", _SHARE, "share of the time in view for which faces could not be read"
        ),
        "mood": Column(
            "float64",
            "-2 to 2",
            "20 % trimmed mean of each face's valence less its own baseline; missing under 3 faces",
        ),
        "mood_low": Column(
            "float64", "-2 to 2", "lower quartile of the same; missing under 5 faces"
        ),
        "mood_high": Column(
            "float64", "-2 to 2", "upper quartile of the same; missing under 5 faces"
        ),
        "smile_share": Column(
            "float64",
            _SHARE,
            "share of the faces with a baseline that smile more than they used to; missing under 3",
        ),
        "mood_faces": Column("int64", _COUNT, "faces that mood and smile_share rest on"),
        "synchrony": Column(
            "float64",
            _VALENCE,
            "mean correlation of each face's valence with the mean of the others over 30 s; missing"
            " under 3 faces",
        ),
        "synchrony_95": Column(
            "float64", _VALENCE, "95 % point of the same with the faces shifted in time at random"
        ),
        "synchrony_faces": Column("int64", _COUNT, "faces that synchrony rests on"),
    }
)
"""A second of a room: the columns of `emorec.sessions.downloads`."""

FACE_SECOND: Mapping[str, Column] = MappingProxyType(
    {
        **{name: SECOND[name] for name in ("time_s", "wall_clock")},
        "track_id": FACE["track_id"],
        "read_s": Column("float64", _SECOND, "time for which the face was read"),
        "unreadable_s": Column("float64", _SECOND, "time for which it could not be read"),
        **{emotion: SECOND[emotion] for emotion in EMOTIONS},
        "valence": Column(
            "float64", _VALENCE, "pleasant minus unpleasant probability; missing where not read"
        ),
    }
)
"""A second of one face, where single faces are kept."""

MARKER: Mapping[str, Column] = MappingProxyType(
    {
        "time_s": Column("float64", _SECOND, "of the marker, from the start of the stream"),
        "wall_clock": SECOND["wall_clock"],
        "label": Column("string", "", "of the marker, as it was entered"),
    }
)
"""A marker that a person set."""
