"""Errors of names: how often strangers get a name, and enrolled people their own.

    python -m benchmarks.identity --people DIR [--out FILE] [--plot FILE.png]
    python -m benchmarks.identity --show FILE [--plot FILE.png]

DIR holds ``names.csv`` with the columns ``file`` and ``person``, and those files in ``images``:
five pictures each of 80 people or more, and one picture each of other people, the strangers. The
published numbers are of people in Labeled Faces in the Wild (G. Huang et al., 2007), in grey, up to
350 × 350 pixels.

Every picture is embedded once, as in the app. Then, 20 times, randomly chosen people are enrolled
with randomly chosen pictures. The rule's numbers were chosen on half of the people and of the
strangers; the report has that half, the other half and both.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.open_set import (
    DRAWS,
    Picture,
    Setting,
    newcomers,
    pairs,
    rates,
    search,
)
from benchmarks.report import Report, add_options, deliver
from benchmarks.stays import long_tracks
from emorec.errors import EmorecError
from emorec.media.photo import read_photo
from emorec.people.embedding import FaceEmbedder
from emorec.people.enrolment import FAR, LEAST_FACE_PX, both_ways
from emorec.people.rule import MARGIN, mean_direction, threshold
from emorec.recognizer import EmotionRecognizer
from emorec.records import Box

SETTINGS = (
    Setting(10, 1),
    Setting(10, 3),
    Setting(40, 1),
    Setting(40, 3),
    Setting(40, 5),
    Setting(10, 1, asked=3),
    Setting(10, 3, asked=3),
    Setting(40, 1, asked=3),
    Setting(40, 3, asked=3),
)
IN_A_HALF = (Setting(20, 1), Setting(20, 3), Setting(40, 3), Setting(20, 3, asked=3))
"""Half of the people: where three pictures are asked for, 20 of the 40 are the strangers."""

MARGINS = (0.0, 0.01, 0.03, 0.05)
STEPS = tuple(round(0.28 + 0.01 * step, 2) for step in range(21))
_HEAD = "| enrolled | pictures of each | asked | strangers named | named rightly | misnamed |"

THREADS = 2  # processes that embed, each on one core


def main() -> None:
    """Measure and print, with ``--out`` and ``--plot`` also write; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--people", type=Path, metavar="DIR", help="names.csv and images/")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="also draw both errors")
    add_options(parser)
    args = parser.parse_args()
    report = deliver(args, lambda: measure(args.people), tables)
    if args.plot:
        draw(report, args.plot)


def measure(folder: Path | None) -> Report:
    """Return the whole report as a dictionary for JSON."""
    head = machine()
    pictures = read(folder)
    halves = [half(pictures, number) for number in (0, 1)]
    return {
        "command": "python -m benchmarks.identity --people DIR",
        **head,
        "people": sum(count > 1 for count in Counter(one.person for one in pictures).values()),
        "pictures": len(pictures),
        "found": sum(picture.found for picture in pictures),
        "clear": sum(picture.clear for picture in pictures),
        "draws": DRAWS,
        "margin": MARGIN,
        "as_the_app": [at_the_rule(pictures, setting, True) for setting in SETTINGS],
        "all_pictures": [at_the_rule(pictures, setting) for setting in SETTINGS],
        "chosen_on": [at_the_rule(halves[0], setting) for setting in IN_A_HALF],
        "held_out": [at_the_rule(halves[1], setting) for setting in IN_A_HALF],
        "margins": [
            {"margin": margin, **at_the_rule(pictures, Setting(40, 1), margin=margin)}
            for margin in MARGINS
        ],
        "thresholds": [over_thresholds(pictures, setting) for setting in SETTINGS],
        "pairs": pairs(pictures, FAR),
        "newcomers": newcomers(pictures, Setting(40, 3)),
        "long_tracks": long_tracks(pictures, 40),
    }


def read(folder: Path | None) -> list[Picture]:
    """Return every picture that ``names.csv`` lists, embedded as the app does it.

    Where the app finds no face, the whole picture is taken for one.
    """
    table = folder / "names.csv" if folder else None
    if folder is None or table is None or not table.is_file():
        raise SystemExit(
            "--people DIR is needed: a folder with names.csv (columns file, person) and images/,"
            " with five pictures or more each of 80 people and one each of strangers."
        )
    with table.open(newline="", encoding="utf-8") as lines:
        rows = [(row["file"], row["person"]) for row in csv.DictReader(lines)]
    recognizer = EmotionRecognizer()

    def work(part: int) -> list[Picture]:
        with closing(FaceEmbedder()) as embedder:
            return [
                picture(folder / "images" / file, person, recognizer, embedder)
                for file, person in rows[part::THREADS]
            ]

    with ThreadPoolExecutor(THREADS) as pool:
        try:
            parts = list(pool.map(work, range(THREADS)))
        except EmorecError as error:
            raise SystemExit(str(error)) from None
    return [one for part in parts for one in part]


def picture(
    path: Path, person: str, recognizer: EmotionRecognizer, embedder: FaceEmbedder
) -> Picture:
    """Return what the app makes of a picture: its largest face."""
    image_bgr = read_photo(path)
    faces = recognizer.analyze(image_bgr).faces
    face = max(faces, key=lambda one: one.box.width * one.box.height, default=None)
    height, width = image_bgr.shape[:2]
    box = face.box if face else Box(0, 0, width, height)
    embeddings = both_ways(image_bgr, box, embedder)
    return Picture(
        person,
        embeddings[0],
        mean_direction(embeddings)[0],
        found=face is not None,
        clear=face is not None and not face.unreadable and face.box.width >= LEAST_FACE_PX,
    )


def half(pictures: list[Picture], number: int) -> list[Picture]:
    """Return one half of the people and of the strangers, all pictures of each."""
    count = Counter(one.person for one in pictures)
    chosen = {
        person
        for group in (
            sorted(person for person in count if count[person] > 1),
            sorted(person for person in count if count[person] == 1),
        )
        for person in group[number::2]
    }
    return [one for one in pictures if one.person in chosen]


def at_the_rule(
    pictures: list[Picture], setting: Setting, only_clear: bool = False, margin: float = MARGIN
) -> dict[str, Any]:
    """Return a setting and the rates that the rule has in it."""
    found = rates(*search(pictures, setting, only_clear), threshold(setting.enrolled), margin)
    return {**asdict(setting), **found}


def over_thresholds(pictures: list[Picture], setting: Setting) -> dict[str, Any]:
    """Return both errors, without intervals, at every threshold."""
    own, strangers = search(pictures, setting, only_clear=False)
    rows = []
    for near in STEPS:
        at = rates(own, strangers, near)
        rows.append(
            {
                "threshold": near,
                "false_positive": at["strangers_named"][0],
                "false_negative": round(1 - at["named_rightly"][0], 5),
            }
        )
    return {**asdict(setting), "rule": round(threshold(setting.enrolled), 4), "rows": rows}


def tables(report: Report) -> str:
    """Return the report as Markdown."""
    strangers = report["as_the_app"][0]["strangers"]
    pair, new, stay = report["pairs"], report["newcomers"], report["long_tracks"]
    head = (
        f"{report['pictures']} pictures of {report['people']} people and {strangers} strangers:"
        f" a face found in {report['found']}, clear enough for a name in {report['clear']}."
    )
    lines = [head]
    for title, key in (
        ("As the app does it, only clear faces enrolled and named", "as_the_app"),
        ("All pictures, each taken for a face where none was found", "all_pictures"),
        ("The half that the rule was chosen on, all pictures", "chosen_on"),
        ("The other half, all pictures", "held_out"),
    ):
        lines += ["", f"{title}:", "", _HEAD, "|--:|--:|--:|--:|--:|--:|"]
        lines += [row_of(row) for row in report[key]]
    lines += [
        "",
        "The margin, 40 enrolled with one picture:",
        "",
        "| margin | strangers named | named rightly | misnamed |",
        "|--:|--:|--:|--:|",
    ]
    lines += [f"| {row['margin']:.2f} | {_rates(row)} |" for row in report["margins"]]
    far = (
        f"Pairs of pictures at least {pair['apart']} apart: {_percent(pair['one_person'])} of one"
        f" person's, {_percent(pair['two_people'])} of two people's."
    )
    alike = f"Newcomers who look much like one of {new['enrolled']}: {_percent(new['alike'])}."
    stays = (
        f"Strangers who stay for {stay['pictures']} pictures, {stay['enrolled']} enrolled:"
        f" {_percent(stay['by_rule'])} are ever named. {_percent(stay['by_one'])} would be if every"
        f" picture were judged by itself, {_percent(stay['first'])} by their photograph alone."
    )
    said = (far, alike, stays)
    return "\n".join([*lines, "", *(f"- {line}" for line in said)])


def row_of(row: dict[str, Any]) -> str:
    """Return a setting's rates as a row of a Markdown table."""
    return f"| {row['enrolled']} | {row['pictures']} | {row['asked']} | {_rates(row)} |"


def _rates(row: dict[str, Any]) -> str:
    keys = ("strangers_named", "named_rightly", "misnamed")
    return " | ".join(_percent(row[key]) for key in keys)


def _percent(rate: list[float]) -> str:
    value, below, above = (100 * part for part in rate)
    return f"{value:.1f} % ({below:.1f}–{above:.1f})"


def draw(report: Report, file: Path) -> None:
    """Draw both errors over the threshold, for one picture asked and for three."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    for axes, asked in zip(figure.subplots(1, 2, sharey=True), (1, 3), strict=True):
        for number, setting in enumerate(
            one for one in report["thresholds"] if one["asked"] == asked
        ):
            near = [row["threshold"] for row in setting["rows"]]
            for key, style in (("false_positive", "-"), ("false_negative", "--")):
                axes.plot(
                    near,
                    [100 * row[key] for row in setting["rows"]],
                    style,
                    color=f"C{number}",
                    label=f"{setting['enrolled']} enrolled with {setting['pictures']}"
                    if style == "-"
                    else None,
                )
            axes.axvline(setting["rule"], color=f"C{number}", alpha=0.2)
        axes.set(
            title=f"{asked} picture{'s' if asked > 1 else ''} of a face",
            xlabel="threshold (upright lines: the rule's)",
            ylim=(0, 15),
        )
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right", fontsize=8)
    figure.axes[0].set_ylabel("strangers named, %; dashed: enrolled not named rightly, %")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
