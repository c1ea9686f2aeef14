"""`emorec evaluate | calibrate`; each loads what it needs when it runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorec.errors import EmorecError

if TYPE_CHECKING:
    from emorec.model.store import EmotionModel
    from emorec.training.data import FaceSet

DATA = "fer2013.csv, icml_face_data.csv, or a folder with one sub-folder an emotion"
FERPLUS = "FER+ votes on the same faces, fer2013new.csv"
_ALL = "all"


def add_parsers(commands: Any) -> None:
    """Add these commands to what ``add_subparsers`` returned."""
    _add_evaluate(commands)
    _add_calibrate(commands)


def _add_evaluate(commands: Any) -> None:
    add = commands.add_parser("evaluate", help="measure a model on labelled faces")
    add.add_argument("--data", type=Path, required=True, metavar="PATH", help=DATA)
    add.add_argument("--ferplus", type=Path, metavar="FILE", help=FERPLUS)
    add.add_argument(
        "--split",
        help="Training, PublicTest, PrivateTest or all; default: PrivateTest, or all faces if the"
        " data name no splits",
    )
    add.add_argument(
        "--labels",
        choices=("fer2013", "ferplus", "shown"),
        default="fer2013",
        help="measure the FER2013 head on its labels (default), the FER+ head on its votes, or what"
        " the app shows: on the votes, or without --ferplus on the data's labels",
    )
    add.add_argument("--flip", action="store_true", help="average each face with its mirror image")
    add.add_argument(
        "--corruptions",
        action="store_true",
        help="also on the faces spoiled: poor light, noise, blur, turned, hidden, badly cut out",
    )
    add.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="of `emorec calibrate`: measure what is shown with a person's examples",
    )
    add.add_argument(
        "--few-shot",
        nargs="+",
        type=_whole,
        metavar="K",
        help="measure what is shown with K examples of each emotion from people who are not tested,"
        " for each K; and with a resting face of the same person; needs --group-by person",
    )
    add.add_argument(
        "--group-by",
        choices=("person",),
        help="whose faces they are: the CSV column person, or folders PERSON/EMOTION",
    )
    add.add_argument("--model", type=Path, metavar="FILE", help="default: the one that ships")
    add.add_argument("--record", action="store_true", help="keep all of it beside the model")
    add.add_argument("--json", action="store_true", help="one JSON object")
    add.set_defaults(command=evaluate, wrong=add.error)


def _add_calibrate(commands: Any) -> None:
    add = commands.add_parser("calibrate", help="learn from examples of one person's expressions")
    add.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="pictures of this person's face alone, in one folder an emotion, two or more in each",
    )
    add.add_argument("--out", type=Path, required=True, metavar="FILE", help="me.json, say")
    add.add_argument("--model", type=Path, metavar="FILE", help="default: the one that ships")
    add.set_defaults(command=calibrate)


def evaluate(args: argparse.Namespace) -> int:
    """Measure a model on one split of labelled faces."""
    from emorec.model.typed_json import as_json
    from emorec.training import corruptions
    from emorec.training.data import load as load_faces
    from emorec.training.evaluate import evaluate as measure
    from emorec.training.evaluate import evaluate_shown, readable, record

    _check_usage(args)
    if args.labels == "ferplus" and args.ferplus is None:
        raise EmorecError("--labels ferplus needs the votes: pass --ferplus fer2013new.csv.")
    model = _model(args.model)
    faces, args.split = _chosen(args, load_faces(args.data, args.ferplus, _print_line))
    if faces.missing:
        _print_line(f"{args.data}: no face of {', '.join(faces.missing)} among those measured.")
    if args.few_shot:
        return _few_shot(args, model, faces)
    if args.calibration:
        return _calibrated(args, model, faces)
    # What is recorded holds the numbers with and without the flip, and of the spoiled faces.
    whole = args.corruptions or args.record
    ways = {False, True} if whole else {args.flip}
    measured = {flip: measure(model, faces, args.split, flip) for flip in ways}
    spoiled = corruptions.evaluate_corrupted(model, faces) if whole else {}
    if args.record:
        record(model, args.split, measured[False], measured[True], spoiled)
    answers = measured[args.flip].answers()
    if args.labels == "shown" and faces.votes is None:
        answers["shown"] = evaluate_shown(model, faces, args.split, args.flip)
    if args.json:
        also = {"shown": as_json(answers["shown"])} if _beside(args.labels, answers) else {}
        also |= {"corrupted": spoiled} if args.corruptions else {}
        print(json.dumps(as_json(answers[args.labels]) | also, allow_nan=False))
        return 0
    asked = [args.labels, "shown"] if _beside(args.labels, answers) else [args.labels]
    parts = [readable(answers[name]) for name in asked]
    if args.corruptions:
        parts.append(corruptions.readable(measured[False].fer2013, spoiled))
    print("\n\n".join(parts))
    return 0


def calibrate(args: argparse.Namespace) -> int:
    """Learn from examples of one person, check that they help, and write what was learned."""
    from emorec.calibration import examples
    from emorec.emotions import EMOTIONS
    from emorec.errors import DataError
    from emorec.training.data import joined
    from emorec.training.data import load as load_faces

    model = _model(args.model)
    if not args.data.is_dir():
        raise DataError(f"{args.data}: expected a folder with one sub-folder an emotion.")
    faces = joined(load_faces(args.data, say=_print_line))
    if faces.people is not None:
        raise DataError(
            f"{args.data}: holds folders of several people or of one; a calibration is of one"
            " person: name the folder that holds this person's emotions."
        )
    try:
        learned = examples.calibrate(model, faces.faces, [EMOTIONS[i] for i in faces.labels])
    except DataError as error:
        raise DataError(f"{args.data}: {error}") from None
    examples.write(learned, args.out)
    counts = ", ".join(f"{count} {emotion}" for emotion, count in learned.counts.items())
    print(f"{args.out}: learned from {len(faces)} faces: {counts}. Numbers only, no picture.")
    return 0


def _few_shot(args: argparse.Namespace, model: EmotionModel, faces: FaceSet) -> int:
    from emorec.errors import DataError
    from emorec.model.typed_json import as_json
    from emorec.training import few_shot

    try:
        measured = few_shot.few_shot(model, faces, args.few_shot)
        rested = few_shot.resting(model, faces)
    except DataError as error:
        raise DataError(f"{args.data}: {error}") from None
    assert faces.people is not None
    if args.json:
        told = {
            "n": len(faces),
            "people": len(set(faces.people)),
            "split": args.split,
            "few_shot": [as_json(one) for one in measured],
            "resting": [as_json(one) for one in rested],
        }
        print(json.dumps(told, allow_nan=False))
        return 0
    print(
        f"{model.contract.name} on {len(faces)} faces of {len(set(faces.people))} people,"
        f" {args.split}: as shown, with"
    )
    print(few_shot.readable(measured, rested))
    return 0


def _calibrated(args: argparse.Namespace, model: EmotionModel, faces: FaceSet) -> int:
    from emorec.calibration import examples
    from emorec.model.typed_json import as_json
    from emorec.training.evaluate import evaluate_shown, readable

    corrector = examples.Corrector(examples.read(args.calibration), model)
    measured = evaluate_shown(model, faces, args.split, corrector=corrector)
    print(json.dumps(as_json(measured), allow_nan=False) if args.json else readable(measured))
    return 0


def _check_usage(args: argparse.Namespace) -> None:
    if bool(args.few_shot) != bool(args.group_by):
        args.wrong("--few-shot K and --group-by person go together")
    given = [
        f"--{name}" for name in ("flip", "corruptions", "record", "ferplus") if getattr(args, name)
    ]
    if args.few_shot and args.calibration:
        given.append("--calibration")
    if given and (args.few_shot or args.calibration):
        asked = "few-shot" if args.few_shot else "calibration"
        args.wrong(f"--{asked} does not go with {', '.join(given)}")


def _chosen(args: argparse.Namespace, splits: Mapping[str, FaceSet]) -> tuple[FaceSet, str]:
    """Return the faces to measure, and the name of their split."""
    from emorec.training.data import joined
    from emorec.training.folders import split_name

    wanted = args.split or ("PrivateTest" if set(splits) != {"Training"} else _ALL)
    if wanted.lower() == _ALL:
        return joined(splits), _ALL
    wanted = split_name(wanted) or wanted
    if wanted not in splits:
        raise EmorecError(
            f"{args.data}: no {wanted} faces in it; --split takes {' or '.join([*splits, _ALL])}."
        )
    return splits[wanted], wanted


def _model(file: Path | None) -> EmotionModel:
    from emorec.deployment import Deployment
    from emorec.model.store import load

    return load(file, Deployment.from_env(only=("runtime",)).runtime)


def _print_line(line: str) -> None:
    print(f"emorec: {line}", file=sys.stderr, flush=True)


def _beside(asked: str, answers: Mapping[str, Any]) -> bool:
    """Return whether what is shown is printed beside the answer that was asked for."""
    return asked != "shown" and "shown" in answers


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 4:
        raise argparse.ArgumentTypeError(f"Expected a number from 0 to 9999. Received {text!r}.")
    return int(text)
