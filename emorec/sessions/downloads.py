"""A report as a file: CSV, JSON, Parquet, XLSX, PNG, or HTML that opens without a network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from emorec.clock import clock
from emorec.columns import FACE_SECOND, MARKER, SECOND, Column
from emorec.errors import EmorecError
from emorec.filenames import dated
from emorec.percent import percent, signed
from emorec.rows import Row, to_csv, to_json
from emorec.sessions.known_errors import known_errors
from emorec.sessions.report import NOTICE, Report, charts
from emorec.sessions.tables import face_rows, marker_rows, second_rows
from emorec.words import N_, _, language
from emorec.xlsx import add_row

if TYPE_CHECKING:
    import pandas as pd

_TEMPLATE = "report.html.j2"
_SCALE = 2.0  # pixels a point of the PNG


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        mime: its type for a browser.
        write: returns its content.
    """

    mime: str
    write: Callable[[Report], bytes]


def write(report: Report, kind: str) -> bytes:
    """Return a report as the content of a file.

    Args:
        report: on a session.
        kind: one of ``KINDS``.

    Raises:
        EmorecError: there is no such kind, or the session has nothing to draw.
    """
    if kind not in KINDS:
        raise EmorecError(f"expected one of {', '.join(KINDS)}. Received {kind!r}.")
    return KINDS[kind].write(report)


def file_name(started_at: datetime, kind: str) -> str:
    """Return the name of a file, as ``emorec_2026-11-28_1405_session.csv``; the time is UTC."""
    what, _dash, suffix = kind.rpartition("-")
    return dated(f"{what or 'session'}.{suffix}", started_at)


def _csv(report: Report) -> bytes:
    return to_csv(second_rows(report), tuple(SECOND)).encode()


def _faces_csv(report: Report) -> bytes:
    return to_csv(_single_faces(report), tuple(FACE_SECOND)).encode()


def _parquet(report: Report) -> bytes:
    content = io.BytesIO()
    _frame(second_rows(report), SECOND).to_parquet(content, index=False)
    return content.getvalue()


def _faces_parquet(report: Report) -> bytes:
    content = io.BytesIO()
    _frame(_single_faces(report), FACE_SECOND).to_parquet(content, index=False)
    return content.getvalue()


def _json(report: Report) -> bytes:
    faces = {} if report.faces is None else {"faces": face_rows(report)}
    text = to_json(
        report.made_with,
        second_rows(report),
        session=_facts(report),
        summary=report.summary,
        markers=marker_rows(report),
        known_errors=known_errors(report.made_with),
        notice=NOTICE,
        **faces,
    )
    return text.encode()


def _xlsx(report: Report) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    facts = [("what", "value"), *_facts(report).items(), *_figures(report).items()]
    facts += [("known errors", line) for line in known_errors(report.made_with)]
    _sheet(book, "Session", [*facts, ("notice", NOTICE)])
    tables: dict[str, tuple[Mapping[str, Column], list[Row]]] = {
        "Seconds": (SECOND, second_rows(report)),
        "Markers": (MARKER, marker_rows(report)),
    }
    if report.faces is not None:
        tables["Faces"] = FACE_SECOND, face_rows(report)
    for name, (columns, rows) in tables.items():
        _sheet(book, name, [list(columns), *([row[key] for key in columns] for row in rows)])
    explained = [
        (name, key, column.unit, column.meaning)
        for name, (columns, _) in tables.items()
        for key, column in columns.items()
    ]
    _sheet(book, "Columns", [("sheet", "column", "unit", "meaning"), *explained])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _png(report: Report) -> bytes:
    from emorec.drawing.session_charts import stacked

    found = charts(report)
    if not found:
        raise EmorecError(N_("no face was read in this session, so there is no chart."))
    joined = stacked(
        list(found.values()),
        report.name,
        _("Apparent expression, not inner feeling. EmoRec"),
    )
    content = io.BytesIO()
    joined.save(content, format="png", scale_factor=_SCALE)
    return content.getvalue()


def _html(report: Report) -> bytes:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("emorec.sessions", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found = charts(report)
    specs = [chart.to_dict() for chart in found.values()]
    text = environment.get_template(_TEMPLATE).render(
        report=report,
        facts=_facts(report),
        figures=_figures(report),
        headings=list(found),
        markers=marker_rows(report),
        _=_,
        language=language(),
        clock=clock,
        settings=json.dumps(report.made_with, indent=1, ensure_ascii=False),
        errors=known_errors(report.made_with),
        notice=_(NOTICE),
        # "<" is escaped, so that no text in a chart can end the script.
        specs=json.dumps(specs).replace("<", "\\u003c"),
        script=_script() if specs else "",
    )
    return text.encode()


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "csv": Kind("text/csv", _csv),
        "faces-csv": Kind("text/csv", _faces_csv),
        "json": Kind("application/json", _json),
        "parquet": Kind("application/vnd.apache.parquet", _parquet),
        "faces-parquet": Kind("application/vnd.apache.parquet", _faces_parquet),
        "xlsx": Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
        "png": Kind("image/png", _png),
        "html": Kind("text/html", _html),
    }
)
"""What `write` makes, by name. ``csv`` and ``parquet`` have a row for each second; those that begin
with ``faces-`` have a row for each second and face."""


@lru_cache(maxsize=1)
def _script() -> str:
    """Return Vega-Embed, Vega-Lite and Vega as one script, of 0.9 MB; it takes seconds to make."""
    import altair as alt
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version)
    return script.replace("</script", "<\\/script")


def _single_faces(report: Report) -> list[Row]:
    if report.faces is None:
        raise EmorecError(N_("single faces of this session are not kept."))
    return face_rows(report)


def _facts(report: Report) -> dict[str, str]:
    """Return what the session is, in words."""
    model, unknown = report.made_with.get("model", {}), _("unknown")
    return {
        N_("session"): report.name,
        N_("start"): report.started_at.isoformat(timespec="seconds"),
        N_("source"): _(str(report.made_with.get("source", N_("not known")))),
        N_("purpose"): _(report.purpose) or _("not asked for"),
        N_("notes"): report.notes,
        N_("group only"): _("yes") if report.group_only else _("no"),
        N_("model"): f"{model.get('name', unknown)}, sha256 {model.get('sha256', unknown)}",
        N_("version"): f"EmoRec {report.version}",
    }


def _figures(report: Report) -> dict[str, str]:
    """Return the figures, in words."""
    summary = report.summary
    shares = {label: share for label, share in summary.shares.items() if share > 0}
    return {
        N_("length"): clock(summary.duration_s),
        N_("faces seen"): str(summary.faces_seen),
        N_("at once"): str(summary.most_at_once),
        N_("mean valence"): ("–" if summary.mean_valence is None else signed(summary.mean_valence)),
        N_("could not be read"): percent(summary.unreadable),
        **{label: percent(min(share, 1.0)) for label, share in shares.items()},
    }


def _frame(rows: list[Row], columns: Mapping[str, Column]) -> pd.DataFrame:
    import pandas as pd

    dtypes = {name: column.dtype for name, column in columns.items()}
    return pd.DataFrame(rows, columns=list(columns)).astype(dtypes)


def _sheet(book: Any, name: str, rows: Sequence[Sequence[Any]]) -> None:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for place, row in enumerate(rows):
        add_row(sheet, row, bold=place == 0)
