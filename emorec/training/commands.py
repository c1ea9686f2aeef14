"""`emorec train | teach | compress`, and what `measure_commands` adds; each loads what it needs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from emorec.model.network import COMPRESSED_FROM, TRAINED
from emorec.training.measure_commands import DATA, FERPLUS
from emorec.training.measure_commands import add_parsers as add_measuring


def add_parsers(commands: Any) -> None:
    """Add these commands to what ``add_subparsers`` returned."""
    add = commands.add_parser("train", help="train a network on labelled faces")
    _add_faces(add)
    add.add_argument("--network", choices=TRAINED, help="default: elu")
    add.add_argument("--out", type=Path, metavar="DIR", help="default: runs/NETWORK_cnn")
    add.add_argument("--resume", action="store_true", help="go on with the run that is in DIR")
    _add_recipe(add)
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
    add.add_argument("--data", type=Path, required=True, metavar="PATH", help=DATA)
    add.add_argument("--out", type=Path, required=True, metavar="FILE", help="teachers.npz, say")
    add.set_defaults(command=teach)

    add = commands.add_parser("compress", help="make a smaller network of a trained one")
    _add_faces(add)
    add.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"a .keras model of the network {COMPRESSED_FROM}",
    )
    add.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="a .keras model compressed from it before, to begin with",
    )
    add.add_argument("--out", type=Path, metavar="DIR", help="default: runs/small_cnn")
    _add_recipe(add)
    add.set_defaults(command=compress)

    add_measuring(commands)


def _add_faces(add: argparse.ArgumentParser) -> None:
    add.add_argument("--data", type=Path, required=True, metavar="PATH", help=DATA)
    add.add_argument("--ferplus", type=Path, metavar="FILE", help=FERPLUS)


def _add_recipe(add: argparse.ArgumentParser) -> None:
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


def _recipe(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of `_add_recipe` say, by their names; None: not given."""
    names = "epochs", "steps", "batch", "seed", "precision", "learning_rate", "weight_decay"
    return {name: getattr(args, name) for name in names}


def train(args: argparse.Namespace) -> int:
    """Train a network on labelled faces, export it and measure it."""
    from emorec.training.run import run as run_training

    run_training(
        args.data,
        args.out or Path("runs") / f"{args.network or 'elu'}_cnn",
        ferplus=args.ferplus,
        network=args.network,
        **_recipe(args),
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


def compress(args: argparse.Namespace) -> int:
    """Compress a trained network, let it learn from that network, export it and measure it."""
    from emorec.training.run import run_compress

    run_compress(
        args.data,
        args.out or Path("runs") / "small_cnn",
        args.model,
        ferplus=args.ferplus,
        start=args.start,
        **_recipe(args),
        say=lambda line: print(line, flush=True),
    )
    return 0


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
