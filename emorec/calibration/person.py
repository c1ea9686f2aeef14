"""What corrects the readings of one stream: the automatic baseline, and people's examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from emorec.calibration.baseline import Baselines
from emorec.calibration.examples import Corrector, Examples
from emorec.emotions import EMOTIONS
from emorec.errors import ModelError
from emorec.model.store import EmotionModel

AWAY_S = 2.0
"""After so long without a reading a face counts as gone."""

Watch = Callable[[int, npt.NDArray[np.float32], float], None]
"""Gets each reading: ``track_id``, the row of shape (7 + features,), the time in seconds."""

Kept = Callable[[int], Examples | None]
"""Gives the examples kept of the person that a track is recognised as: `LiveNames.examples_of`."""


class Calibration:
    """Corrects what is read of the faces of one stream (`emorec.pipeline.classify.Calibrate`).

    The visitor's examples belong to one face. If that face has gone, they go over to the only face
    in view, since a person who turns away for some seconds comes back under a new number. With
    several faces in view they wait. Examples kept with a person correct each face while it is
    recognised as that person; on the face that showed the visitor's own, the visitor's count, as
    they are newer. A face that examples correct gets no automatic baseline.

    One thread reads with it; another one may set the attributes at any time.

    Attributes:
        baseline: whether resting states are learned and used.
        corrector: of the visitor's examples; None: there are none.
        owner: track of the face that showed the examples; None: the only face in view.
        kept: gives the examples kept of people; None: nobody is recognised.
        watch: gets every reading before it is corrected; None: nothing does.
    """

    def __init__(self, baseline: bool = True) -> None:
        self.baseline = baseline
        self.corrector: Corrector | None = None
        self.owner: int | None = None
        self.kept: Kept | None = None
        self.watch: Watch | None = None
        self.begin(None)

    def begin(self, model: EmotionModel | None) -> None:
        """Forget all faces, as a new stream begins; the visitor's examples stay.

        Args:
            model: reads the new stream; kept examples of other networks are not used.
        """
        self._model = model
        self._baselines = Baselines()
        self._read_s: dict[int, float] = {}
        self._of_kept: dict[int, tuple[Examples, Corrector | None]] = {}
        self._heir: int | None = None
        self.owner = None

    def __call__(
        self, track_ids: Sequence[int], rows: npt.NDArray[np.float32], time_s: float
    ) -> npt.NDArray[np.float32]:
        """Return corrected probabilities, float32 of shape (n, 7)."""
        watch, size = self.watch, len(EMOTIONS)
        if watch is not None:
            for track_id, row in zip(track_ids, rows, strict=True):
                watch(track_id, row, time_s)
        probs = np.ascontiguousarray(rows[:, :size])
        if self.baseline:
            probs = self._baselines(track_ids, rows, time_s)
        self._find_heir(track_ids, time_s)
        for place, track_id in enumerate(track_ids):
            corrector = self._corrector_of(track_id)
            if corrector is not None:
                probs[place] = corrector(rows[place : place + 1])[0]
        return probs

    def _find_heir(self, track_ids: Sequence[int], time_s: float) -> None:
        """Find the face that the visitor's examples go over to, once their owner has gone."""
        self._read_s.update(dict.fromkeys(track_ids, time_s))
        self._read_s = {i: at for i, at in self._read_s.items() if time_s - at <= AWAY_S}
        self._of_kept = {i: pair for i, pair in self._of_kept.items() if i in self._read_s}
        if self.owner in self._read_s:
            self._heir = None
        elif self._heir not in self._read_s and len(self._read_s) == 1:
            (self._heir,) = self._read_s

    def _corrector_of(self, track_id: int) -> Corrector | None:
        if track_id == self.owner:
            return self.corrector or self._kept_corrector(track_id)
        kept = self._kept_corrector(track_id)
        return kept or (self.corrector if track_id == self._heir else None)

    def _kept_corrector(self, track_id: int) -> Corrector | None:
        kept, model = self.kept, self._model
        examples = kept(track_id) if kept else None
        if examples is None or model is None:
            return None
        known = self._of_kept.get(track_id)
        if known is None or known[0] is not examples:
            known = self._of_kept[track_id] = (examples, _corrector(examples, model))
        return known[1]


def _corrector(examples: Examples, model: EmotionModel) -> Corrector | None:
    """Return what corrects readings of this network; None where the examples are of another one."""
    try:
        return Corrector(examples, model)
    except ModelError:  # the People page says which people's examples are not used
        return None
