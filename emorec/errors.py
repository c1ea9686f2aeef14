"""The errors that a user can cause or mend; each carries one clear line.

Everything else that goes wrong is a defect and keeps its own exception.
"""

from __future__ import annotations


class EmorecError(Exception):
    """Base of all of them: ``str(error)`` is the one line to show."""


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

    Args:
        count: how many there are.
        before: how many of them are read rightly without help.
        after: how many, each with the help of the others alone.
    """

    def __init__(self, count: int, before: int, after: int) -> None:
        super().__init__(
            "These examples would make it worse, so they are not used: of"
            f" {count} faces, each read with the help of the others alone, {after} get the"
            f" right label, and {before} without any help."
        )
        self.count, self.before, self.after = count, before, after


class NoStoreError(StoreError):
    """A store that is only to be read, and that nothing was kept in yet.

    Args:
        place: a file, or the variable that names the server.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"{place}: nothing is kept there yet.")
        self.place = place
