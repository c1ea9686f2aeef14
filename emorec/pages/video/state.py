"""What the Video page keeps of a visitor between two runs: upload, job, and moment shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from streamlit.runtime.scriptrunner import get_script_run_ctx

from emorec.drawing.overlay import Show
from emorec.jobs.disk import Disk
from emorec.jobs.job import Job, Order
from emorec.jobs.place import Place
from emorec.pages.parts import naming
from emorec.pages.parts.disk import disk, turns
from emorec.pages.parts.visit import State
from emorec.recognizer import EmotionRecognizer
from emorec.settings import Settings
from emorec.words import language

if TYPE_CHECKING:  # it loads SQLAlchemy
    from emorec.sessions.keeper import Keeper


@dataclass
class OwnVideo(State):
    """A visitor's video.

    Attributes:
        place: where it lies; None: no upload has been offered yet.
        job: what reads it; None: it has not arrived.
        at_s: the moment that is shown beside the timeline, in seconds of the video.
        chosen: how often a moment was chosen: the same one may be chosen again.
        keeper: keeps the video's session; None: that was not asked for.
    """

    place: Place | None = None
    job: Job | None = None
    at_s: float = 0.0
    chosen: int = 0
    keeper: Keeper | None = None

    def close(self) -> None:
        """Delete the video and its results, and end the job."""
        where = disk()
        if self.place is not None and where is not None:
            where.close(self.place)
        self.place = self.job = self.keeper = None
        self.at_s, self.chosen = 0.0, 0

    def open_place(self, where: Disk) -> Place:
        """Return the place that the visitor may upload to."""
        if self.place is None or self.place.closed:
            context = get_script_run_ctx()
            assert context is not None, "only a page has a place"
            self.place = where.place(context.session_id)
        return self.place

    def read(
        self,
        where: Disk,
        place: Place,
        engine: EmotionRecognizer,
        settings: Settings,
        blur: bool,
        group_only: bool,
        names: bool,
    ) -> None:
        """Begin to read the video that has arrived.

        Raises:
            EmorecError: it was deleted meanwhile, or the people enrolled cannot be read.
        """
        show: Show = "blur" if blur else "label"
        order = Order(str(engine.model.file), asdict(settings), show, group_only, names, language())
        gallery = naming.gallery() if names else None
        job = Job(place, order, turns(), lambda: where.room_for(place, 0), gallery)
        job.start()
        self.job = job

    def show(self, time_s: float) -> None:
        """Choose the moment to be shown."""
        self.at_s = time_s
        self.chosen += 1
