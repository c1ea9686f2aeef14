"""What corrects the readings of one stream: the automatic baseline, and a person's examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from emorec.calibration.baseline import Baselines
from emorec.calibration.examples import Corrector
from emorec.emotions import EMOTIONS

AWAY_S = 2.0
"""After so long without a reading a face counts as gone."""

Watch = Callable[[int, npt.NDArray[np.float32], float], None]
"""Gets each reading: ``track_id``, the row of shape (7 + features,), the time in seconds."""


class Calibration:
    """Corrects what is read of the faces of one stream (`emorec.pipeline.classify.Calibrate`).

    Examples belong to one face. If that face has gone, they go over to the only face in view, since
    a person who turns away for some seconds comes back under a new number. With several faces in
    view they wait. A face that they correct gets no automatic baseline.

    One thread reads with it; another one may set the attributes at any time.

    Attributes:
        baseline: whether resting states are learned and used.
        corrector: of the person's examples; None: there are none.
        owner: track of the face that showed the examples; None: the only face in view.
        watch: gets every reading before it is corrected; None: nothing does.
    """

    def __init__(self, baseline: bool = True) -> None:
        self.baseline = baseline
        self.corrector: Corrector | None = None
        self.owner: int | None = None
        self.watch: Watch | None = None
        self._baselines = Baselines()
        self._read_s: dict[int, float] = {}

    def begin(self) -> None:
        """Forget all faces, as a new stream begins; the examples stay."""
        self._baselines = Baselines()
        self._read_s = {}
        self.owner = None

    def __call__(
        self, track_ids: Sequence[int], rows: npt.NDArray[np.float32], time_s: float
    ) -> npt.NDArray[np.float32]:
        """Return corrected probabilities, float32 of shape (n, 7)."""
        watch, corrector, size = self.watch, self.corrector, len(EMOTIONS)
        if watch is not None:
            for track_id, row in zip(track_ids, rows, strict=True):
                watch(track_id, row, time_s)
        probs = np.ascontiguousarray(rows[:, :size])
        if self.baseline:
            probs = self._baselines(track_ids, rows, time_s)
        self._find_owner(track_ids, time_s)
        owner = self.owner
        if corrector is not None and owner is not None and owner in track_ids:
            own = list(track_ids).index(owner)
            probs[own] = corrector(rows[own : own + 1])[0]
        return probs

    def _find_owner(self, track_ids: Sequence[int], time_s: float) -> None:
        self._read_s.update(dict.fromkeys(track_ids, time_s))
        self._read_s = {i: at for i, at in self._read_s.items() if time_s - at <= AWAY_S}
        if self.owner not in self._read_s and len(self._read_s) == 1:
            (self.owner,) = self._read_s
