"""One reader for every source, and the sinks that take what it read.

A source hands its pictures to a `Reader`, which returns a `FrameResult` for each; the caller of
`Reader.read` passes picture and result to the sinks. A source knows no sink, and a sink no source.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from emorec.records import FrameResult
from emorec.settings import Settings

Image = npt.NDArray[np.uint8]
"""uint8 of shape (h, w, 3), blue first."""


class Stages(Protocol):
    """What reads pictures: `emorec.pipeline.pipeline.Pipeline`, or that of a picture by itself.

    Attributes:
        settings: may be replaced between two pictures.
    """

    settings: Settings

    def find(self, image_bgr: Image, time_s: float) -> Callable[[], FrameResult]: ...


class Names(Protocol):
    """Names the faces: `emorec.live.names.LiveNames`, `emorec.people.matching.PhotoNames`."""

    def named(self, image_bgr: Image, result: FrameResult) -> FrameResult:
        """Return the result with the names of the people recognised."""
        ...


class Sink(Protocol):
    """Takes what was read: a timeline, a table, a video.

    Leaving the context ends it: what it has not written yet it writes then. The picture belongs to
    the source: a sink must neither change it nor keep it.
    """

    def add(self, image_bgr: Image, result: FrameResult) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Reader:
    """Reads the pictures of one source, in the order of their time. Not for several threads.

    `emorec.EmotionRecognizer.reader` makes one.

    Args:
        stages: find, follow and read the faces.
        names: names the faces; None: no face gets a name.

    Attributes:
        names: may be replaced between two pictures.
    """

    def __init__(self, stages: Stages, names: Names | None = None) -> None:
        self.names = names
        self._stages = stages

    @property
    def settings(self) -> Settings:
        """How pictures are read; may be replaced between two pictures."""
        return self._stages.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._stages.settings = settings

    def read(self, image_bgr: Image, time_s: float = 0.0) -> FrameResult:
        """Read the next picture.

        Args:
            image_bgr: uint8 of shape (h, w, 3), blue first.
            time_s: of the media clock, in seconds; must not fall. A picture by itself has 0.

        Raises:
            EmorecError: the names cannot be worked out.
        """
        return self.find(image_bgr, time_s)()

    def find(self, image_bgr: Image, time_s: float) -> Callable[[], FrameResult]:
        """Find the faces of the next picture, which `read` does first.

        Args:
            image_bgr: as for `read`; must not change before its faces are read.
            time_s: as for `read`.

        Returns:
            Does the rest of `read`. To be called once for each picture, in their order. Another
            thread may call it while this one finds the faces of the next pictures.
        """
        read = self._stages.find(image_bgr, time_s)

        def named() -> FrameResult:
            result = read()
            return self.names.named(image_bgr, result) if self.names else result

        return named
