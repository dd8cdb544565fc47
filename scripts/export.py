"""Makes weights and a card of a Lightning checkpoint: `python scripts/export.py CKPT --name tsp50`.

Class paths, sizes, distributions and seed come from the `config.yaml` that the training wrote beside the run, the
minutes of the training from the checkpoint. Of a network that branches, the card also holds its agreement with
strong branching on held-out samples: `python scripts/export.py CKPT --name auction --held-out
runs/milp/auction-easy/validation`. Of one that predicts solutions it holds its figures on the validation pools.
"""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from co_gym.errors import InputError
from milp.prediction.weights import FOLDER as PREDICTION_FOLDER
from milp.pretrained_weights import FOLDER as BRANCHING_FOLDER
from policies.branching import weights as branching
from policies.branching.evaluation import evaluate
from policies.prediction import weights as prediction
from policies.weights.cards import FOLDER, find, read_card
from policies.weights.checkpoint import DTYPES, save
from policies.weights.conversion import from_lightning
from policies.weights.networks import training_of

RELIABILITY = "from the node after the A-th to the B-th SCIP's own rule decides, for branching"
BY_NAME = {str(dtype).removeprefix("torch."): dtype for dtype in DTYPES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--name", required=True, help="name of the weights")
    parser.add_argument("--minutes", type=float, help="of the training, if not the checkpoint's")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of the training")
    parser.add_argument(
        "--machine", default=f"{platform.machine()}, {os.cpu_count()} cores", help="what it ran on"
    )
    parser.add_argument("--config", type=Path, help="the config.yaml, if it is not beside the run")
    parser.add_argument("--dtype", choices=BY_NAME, default="float32", help="of the weights of a policy")
    parser.add_argument("--output", type=Path, help="folder; the package's by default")
    parser.add_argument("--held-out", type=Path, nargs="*", default=[], help="folders of samples, for branching")
    parser.add_argument("--collecting-minutes", type=float, default=0.0, help="of one core, for branching")
    parser.add_argument("--reliability", type=int, nargs=2, default=(0, 0), metavar=("A", "B"), help=RELIABILITY)
    parser.add_argument("--blend", type=float, default=0.0, help="weight of pseudocosts, for branching")
    parser.add_argument("--hooks", nargs="*", help="what works best with a prediction in SCIP, for its card")
    args = parser.parse_args()
    kinds = {branching.TRAINING: branching_weights, prediction.TRAINING: prediction_weights}
    try:
        path = kinds.get(training_of(args.checkpoint, args.config), policy)(args)
    except InputError as error:
        parser.error(str(error))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def known_of(args: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of any training."""
    return {key: getattr(args, key) for key in ("name", "config", "minutes", "threads", "machine")}


def prediction_weights(args: argparse.Namespace) -> Path:
    network, card = prediction.from_lightning(args.checkpoint, **known_of(args))
    for label, figures in card.results.items():
        print(label, *(f"{key} {value:.1f}" for key, value in figures.items()))
    if args.hooks:
        card = replace(card, hooks=tuple(args.hooks))
    return prediction.save(network, card, args.output or PREDICTION_FOLDER)


def policy(args: argparse.Namespace) -> Path:
    made, card = from_lightning(args.checkpoint, **known_of(args))
    path = save(made, card, args.output or FOLDER, dtype=BY_NAME[args.dtype])
    print(read_card(find(path)).sha256)
    return path


def branching_weights(args: argparse.Namespace) -> Path:
    network, card = branching.from_lightning(
        args.checkpoint, collecting_minutes=args.collecting_minutes, **known_of(args)
    )
    results = {}
    for folder in args.held_out:
        # runs/milp/auction-easy/validation is called auction-easy
        label = folder.parent.name if folder.name in ("train", "validation", "test") else folder.name
        results[label] = evaluate(network, folder)
        print(label, *(f"{key} {value:.1f}" for key, value in results[label].items()))
    card = replace(card, results=results, reliability=tuple(args.reliability), blend=args.blend)
    return branching.save(network, card, args.output or BRANCHING_FOLDER)


if __name__ == "__main__":
    main()
