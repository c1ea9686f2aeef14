"""The package of the extra ``lsl``, and how to install it."""

from __future__ import annotations

from emorec.errors import EmorecError
from emorec.extras import install

INSTALL = install("lsl")


def require() -> None:
    """Check that pylsl is installed and finds its library.

    Raises:
        EmorecError: it is missing; the line says how to install it.
    """
    try:
        import pylsl  # noqa: F401 (its import looks for the library)
    except ModuleNotFoundError:
        raise EmorecError(
            f"--lsl: needs a package that is not installed: run {INSTALL} (missing: pylsl)."
        ) from None
    except (RuntimeError, OSError):  # no wheel holds the library for this platform
        raise EmorecError(
            "--lsl: pylsl does not find the library liblsl, which this platform needs beside it:"
            " https://github.com/sccn/liblsl"
        ) from None
