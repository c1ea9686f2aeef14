"""The errors that a user can cause or mend; each carries one clear line.

Everything else that goes wrong is a defect and keeps its own exception.
"""

from __future__ import annotations

from emorec.words import N_, _


class EmorecError(Exception):
    """Base of all of them: ``str(error)`` is the one line to show, in the language of who reads it.

    Args:
        says: the line. Where it is raised far from its reader, as by a store on a thread of its
            own, it is marked by `N_`, and translated only when it is read.
        values: what stands in its braces; without values it has none.
    """

    def __init__(self, says: str = "", **values: object) -> None:
        super().__init__(says)
        self.values = values

    def __str__(self) -> str:
        says = _(str(self.args[0]))
        return says.format(**self.values) if self.values else says


class ImageError(EmorecError):
    """A picture or film that cannot be read, or is refused before it is decoded."""


class ModelError(EmorecError):
    """A model file or its contract that is missing, damaged, or does not fit the other."""


class DataError(EmorecError):
    """Training or test data that cannot be used; names the file and, where it can, the row."""


class TrainingError(EmorecError):
    """A training run that cannot go on; the last good weights are kept."""


class StoreError(EmorecError):
    """A database or its key that is missing, damaged, or does not fit the other."""


class WorseError(DataError):
    """A person's examples that would make the reading of this person worse.

    ``values`` has how many there are (``n``), how many of them are read rightly without help
    (``before``), and how many with the help of the others (``after``).
    """


class NoStoreError(StoreError):
    """A store that is only to be read, and that nothing was kept in yet.

    Args:
        place: a file, or the variable that names the server.
    """

    def __init__(self, place: str) -> None:
        super().__init__(N_("{place}: nothing is kept there yet."), place=place)
        self.place = place
