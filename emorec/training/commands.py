"""`emorec train | teach | evaluate`; nothing heavy is loaded before one of them runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emorec.errors import EmorecError
from emorec.model.network import NETWORKS

_DATA = "fer2013.csv, icml_face_data.csv, or a folder with one sub-folder an emotion"
_FERPLUS = "FER+ votes on the same faces, fer2013new.csv"


def add_parsers(commands: Any) -> None:
    """Add these commands to what ``add_subparsers`` returned."""
    add = commands.add_parser("train", help="train a network on labelled faces")
    add.add_argument("--data", type=Path, required=True, metavar="PATH", help=_DATA)
    add.add_argument("--network", choices=NETWORKS, help="default: elu")
    add.add_argument("--ferplus", type=Path, metavar="FILE", help=_FERPLUS)
    add.add_argument("--out", type=Path, metavar="DIR", help="default: runs/NETWORK_cnn")
    add.add_argument("--resume", action="store_true", help="go on with the run that is in DIR")
    add.add_argument("--epochs", type=_count, metavar="N", help="default: the recipe's")
    add.add_argument("--steps", type=_count, metavar="N", help="stop after N steps: a trial")
    add.add_argument(
        "--batch", type=_count, metavar="N", help="faces a step; default: the recipe's"
    )
    add.add_argument("--seed", type=_count, metavar="N", help="of all that is random; default: 1")
    add.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        help="default: float32; the other is faster where the processor has such instructions",
    )
    add.add_argument(
        "--learning-rate", type=_rate, metavar="R", help="the highest; default: the recipe's"
    )
    add.add_argument("--weight-decay", type=_rate, metavar="R", help="default: the recipe's")
    add.add_argument(
        "--start", type=Path, metavar="FILE", help="a .keras model whose weights to begin with"
    )
    add.add_argument(
        "--teachers", type=Path, metavar="FILE", help="of `emorec teach`: learn from it too"
    )
    add.add_argument(
        "--teaching", type=_share, metavar="S", help="the teachers' share of the lesson, to 1"
    )
    add.set_defaults(command=train)

    add = commands.add_parser("teach", help="keep what trained networks say of the training faces")
    add.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="the teachers")
    add.add_argument("--data", type=Path, required=True, metavar="PATH", help=_DATA)
    add.add_argument("--out", type=Path, required=True, metavar="FILE", help="teachers.npz, say")
    add.set_defaults(command=teach)

    add = commands.add_parser("evaluate", help="measure a model on labelled faces")
    add.add_argument("--data", type=Path, required=True, metavar="PATH", help=_DATA)
    add.add_argument("--ferplus", type=Path, metavar="FILE", help=_FERPLUS)
    add.add_argument("--split", default="PrivateTest", help="default: PrivateTest")
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
    add.add_argument("--model", type=Path, metavar="FILE", help="default: the one that ships")
    add.add_argument("--record", action="store_true", help="keep all of it beside the model")
    add.add_argument("--json", action="store_true", help="one JSON object")
    add.set_defaults(command=evaluate)


def train(args: argparse.Namespace) -> int:
    """Train a network on labelled faces, export it and measure it."""
    from emorec.training.run import run as run_training

    run_training(
        args.data,
        args.out or Path("runs") / f"{args.network or 'elu'}_cnn",
        ferplus=args.ferplus,
        network=args.network,
        epochs=args.epochs,
        steps=args.steps,
        batch=args.batch,
        seed=args.seed,
        precision=args.precision,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        start=args.start,
        teachers=args.teachers,
        teaching=args.teaching,
        resume=args.resume,
        say=lambda line: print(line, flush=True),
    )
    return 0


def teach(args: argparse.Namespace) -> int:
    """Let trained networks say of every training face how it looks, for `train --teachers`."""
    from emorec.training.run import run_teachers

    run_teachers(args.data, args.models, args.out, say=lambda line: print(line, flush=True))
    return 0


def evaluate(args: argparse.Namespace) -> int:
    """Measure a model on one split of labelled faces."""
    from emorec.deployment import Deployment
    from emorec.model.store import load as load_model
    from emorec.model.typed_json import as_json
    from emorec.training import corruptions
    from emorec.training.data import load as load_faces
    from emorec.training.evaluate import evaluate as measure
    from emorec.training.evaluate import evaluate_shown, readable, record

    if args.labels == "ferplus" and args.ferplus is None:
        raise EmorecError("--labels ferplus needs the votes: pass --ferplus fer2013new.csv.")
    model = load_model(args.model, Deployment.from_env(only=("runtime",)).runtime)
    splits = load_faces(args.data, args.ferplus)
    if args.split not in splits:
        raise EmorecError(
            f"{args.data}: no {args.split} faces in it; --split takes {' or '.join(splits)}."
        )
    faces = splits[args.split]
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


def _beside(asked: str, answers: Mapping[str, Any]) -> bool:
    """Return whether what is shown is printed beside the answer that was asked for."""
    return asked != "shown" and "shown" in answers


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() else 0
    if not count:
        raise argparse.ArgumentTypeError(f"Expected a number above 0. Received {text!r}.")
    return count


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"Expected a share from 0 to 1. Received {text!r}.")
    return share


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 10:
        raise argparse.ArgumentTypeError(f"Expected a rate above 0, up to 10. Received {text!r}.")
    return rate
