"""The files that one video is read into; if that fails, none of them is left."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show
from emorec.drawing.video import AnnotatedVideo
from emorec.media.files import ResultFolder
from emorec.records import FrameResult
from emorec.sessions.downloads import write
from emorec.sessions.report import Report
from emorec.videos.moments import Strongest
from emorec.videos.reading import VideoReport, session_of_file
from emorec.videos.session import report_on
from emorec.videos.tables import KINDS, Tables

REPORT = "html"
"""The kind of the report on the video's session, as its suffix."""

_COMPRESSED = (".mp4", ".jpg", ".parquet", ".xlsx")  # these get no smaller in a ZIP file


class VideoResults:
    """A sink that writes an annotated video, tables, a report, pictures of the strongest moments.

    Args:
        folder: receives the files.
        source: the video.
        show: what is drawn of each face, in the video and in the small pictures.
        step_s: least time in seconds between two rows of one face.
        header: what the rows are made with, as `emorec.rows.header` returns it.
        start_s: the second of the video at which reading begins.
        bundle: whether one ZIP file with all of them takes their place.
    """

    def __init__(
        self,
        folder: ResultFolder,
        source: Path,
        show: Show,
        step_s: float,
        header: Mapping[str, Any],
        start_s: float = 0.0,
        bundle: bool = False,
    ) -> None:
        kinds = ("mp4", REPORT, *KINDS, *(["zip"] if bundle else []))
        video, self._report, *tables = folder.reserve(source, *kinds)
        self.timeline = session_of_file()
        """To be given to `read_video`: the report tells what it holds."""
        self.moments: list[dict[str, Any]] = []
        """The strongest moments, with the names of their pictures, once `finish` has written them.
        """
        self._bundle = tables.pop() if bundle else None
        self._name = source.name
        self._base = video.with_suffix("")
        self._header = header
        self._strongest = Strongest()
        self._video = AnnotatedVideo(video, show, source, start_s, self._strongest.consider)
        self._tables = Tables(dict(zip(KINDS, tables, strict=True)), step_s)
        self._files = [video, self._report, *tables]
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._open.enter_context(self._tables)
            self._open.enter_context(self._video)
        except BaseException:
            self._open.close()
            raise
        return self

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Write one frame and its rows."""
        self._tables.add(image_bgr, result)
        self._video.add(image_bgr, result)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def finish(self, report: VideoReport) -> list[str]:
        """Write the small pictures, the reports and the ZIP file, after the end of the context.

        Returns:
            A line for each result that could not be written, though the others are whole.
        """
        for old in self._base.parent.glob(f"{escape(self._base.name)}.*.jpg"):
            old.unlink()  # of an earlier run whose results are replaced
        moments = self.moments = []
        for moment in self._strongest.all():
            number = sum(moment.emotion == other["emotion"] for other in moments) + 1
            picture = self._base.with_name(f"{self._base.name}.{moment.emotion}_{number}.jpg")
            self._files.append(picture)
            picture.write_bytes(moment.jpeg)
            moments.append({"file": picture.name, **moment.told()})
        self._tables.finish(self._header, video=report, moments=moments)
        failures = [self._tables.note] if self._tables.note else []
        self._report.write_bytes(write(self.session(), REPORT))
        if self._bundle is not None:
            try:
                _zip(self._bundle, self._files)
            except OSError as error:  # for example a full disk
                self._bundle.unlink(missing_ok=True)
                why = error.strerror or error
                failures.append(
                    f"{self._bundle}: cannot be written ({why}); its files lie beside it."
                )
            else:
                for file in self._files:
                    file.unlink()
        return failures

    def session(self) -> Report:
        """Return the report on the video's session, after the end of the context."""
        return report_on(self.timeline, self._name, self._header)

    def discard(self) -> None:
        """Delete all files, since they are not whole."""
        for file in (*self._files, *([self._bundle] if self._bundle else [])):
            file.unlink(missing_ok=True)


def compression(file: Path) -> int:
    """Return how a result is stored in a ZIP file: one that gets no smaller is not compressed."""
    return zipfile.ZIP_STORED if file.suffix in _COMPRESSED else zipfile.ZIP_DEFLATED


def _zip(path: Path, files: Sequence[Path]) -> None:
    with zipfile.ZipFile(path, "w") as bundle:
        for file in files:
            bundle.write(file, file.name, compression(file))
