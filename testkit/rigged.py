"""The real app, patched at its start: an age on its pictures, and faults on demand.

    python -m testkit.rigged FOLDER run app.py [OPTION...]

Runs Streamlit's command line, as `python -m streamlit` does, in a process where the app's modules
are patched, so the app itself contains no test code. Every live picture gets squares that hold how
much older the analysis is than the picture. Files that appear in FOLDER are commands; `Rig` writes
them.
"""

from __future__ import annotations

import ctypes
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from testkit import marks
from testkit.film import AGE_BITS

_POLL_S = 0.1


class Rig:
    """Writes the commands for the rigged app into the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = ("-m", "testkit.rigged", str(folder))
        """For `testkit.app.running_app`."""

    def break_classifier(self, broken: bool) -> None:
        """Let every call of the network raise, or no longer."""
        if broken:
            (self.folder / "classifier").touch()
        else:
            (self.folder / "classifier").unlink()

    def jump(self, seconds: float) -> None:
        """Let the wall clock be so many seconds off from now on."""
        self._ask("jump", seconds)

    def kill_thread(self, name: str) -> bool:
        """End the youngest thread of this name; return whether there was one."""
        return bool(self._ask("kill", name))

    def threads(self) -> dict[str, int]:
        """Return how many threads there are of each name; numbers in names are left out."""
        return dict(self._ask("threads", None))

    def uploaded_bytes(self) -> int:
        """Return how much of visitors' files Streamlit's uploader holds."""
        return int(self._ask("uploaded", None))

    def _ask(self, name: str, argument: Any) -> Any:
        question, answer = self.folder / f"{name}.ask", self.folder / f"{name}.answer"
        draft = self.folder / f"{name}.draft"
        draft.write_text(json.dumps(argument))
        draft.rename(question)  # whole at once
        deadline = time.monotonic() + 60
        while not answer.exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the rigged app has not answered to {name}")
            time.sleep(_POLL_S)
        told = json.loads(answer.read_text())
        answer.unlink()
        return told


class _Inside:
    """What the app's process does with the commands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._off_s = 0.0
        self._age = threading.local()

    def install(self) -> None:
        """Patch what is to be patched, and listen; before the app's pages are imported."""
        real = time.time
        time.time = lambda: real() + self._off_s
        from aiortc import clock

        now = clock.current_datetime
        clock.current_datetime = lambda: now() + timedelta(seconds=self._off_s)

        from emorec.live import frame
        from emorec.model.runtime import Runtime

        run, moved, draw = Runtime.run, frame.moved, frame.draw_faces

        def run_or_raise(model: Any, faces: Any) -> Any:
            if (self._folder / "classifier").exists():
                raise ValueError("broken by the benchmark")
            return run(model, faces)

        def moved_and_noted(faces: Any, ahead_s: float, size_wh: Any) -> Any:
            self._age.s = ahead_s
            return moved(faces, ahead_s, size_wh)

        def drawn_and_marked(image: Any, faces: Any, show: Any, **how: Any) -> Any:
            drawn = draw(image, faces, show, **how)
            age_s, self._age.s = getattr(self._age, "s", None), None
            if age_s is not None:
                drawn = drawn if drawn.flags.writeable else drawn.copy()
                age_ms = min(max(round(1000 * age_s), 0), 2**AGE_BITS - 1)
                marks.write(drawn, age_ms, AGE_BITS)
            return drawn

        Runtime.run = run_or_raise  # type: ignore[method-assign, assignment]
        frame.moved = moved_and_noted  # type: ignore[assignment]
        frame.draw_faces = drawn_and_marked  # type: ignore[assignment]
        threading.Thread(target=self._listen, name="rig", daemon=True).start()

    def _listen(self) -> None:
        commands: dict[str, Callable[[Any], Any]] = {
            "jump": self._jump,
            "kill": self._kill,
            "threads": self._threads,
            "uploaded": self._uploaded,
        }
        while True:
            for question in self._folder.glob("*.ask"):
                told = commands[question.stem](json.loads(question.read_text()))
                question.unlink()
                draft = question.with_suffix(".draft")
                draft.write_text(json.dumps(told))
                draft.rename(question.with_suffix(".answer"))
            time.sleep(_POLL_S)

    def _jump(self, seconds: float) -> None:
        self._off_s = seconds

    def _kill(self, name: str) -> bool:
        found = [thread for thread in threading.enumerate() if thread.name == name]
        if not found:
            return False
        # As if the thread had run into something that no `except Exception` catches.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(found[-1].ident or 0), ctypes.py_object(SystemExit)
        )
        return True

    def _threads(self, _: None) -> dict[str, int]:
        names = (
            thread.name.split("_")[0].rstrip("-0123456789") for thread in threading.enumerate()
        )
        return dict(Counter(names))

    def _uploaded(self, _: None) -> int:
        from streamlit.runtime import Runtime

        storage = Runtime.instance().uploaded_file_mgr.file_storage  # type: ignore[attr-defined]
        return sum(
            len(file.data) for files in list(storage.values()) for file in list(files.values())
        )


def main() -> None:
    """Put everything in, then be `streamlit`."""
    folder, *arguments = sys.argv[1:]
    _Inside(Path(folder)).install()
    from streamlit.web import cli

    sys.argv = ["streamlit", *arguments]
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
