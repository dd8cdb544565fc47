"""Makes weights and a card of a Lightning checkpoint: `python scripts/export.py CKPT --name tsp50 --minutes 40`.

Class paths, sizes, distributions and seed come from the `config.yaml` that the training wrote beside the run.
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

import torch

from co_gym.errors import InputError
from policies.weights.cards import FOLDER, find, read_card
from policies.weights.checkpoint import DTYPES, save
from policies.weights.conversion import from_lightning

BY_NAME = {str(dtype).removeprefix("torch."): dtype for dtype in DTYPES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--name", required=True, help="name of the weights")
    parser.add_argument("--minutes", type=float, required=True, help="wall-clock minutes of the training")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of the training")
    parser.add_argument(
        "--machine", default=f"{platform.machine()}, {os.cpu_count()} cores", help="what it ran on"
    )
    parser.add_argument("--config", type=Path, help="the config.yaml, if it is not beside the run")
    parser.add_argument("--dtype", choices=BY_NAME, default="float32", help="of the weights in the file")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder")
    args = parser.parse_args()
    try:
        policy, card = from_lightning(
            args.checkpoint,
            name=args.name,
            config=args.config,
            minutes=args.minutes,
            threads=args.threads,
            machine=args.machine,
        )
        path = save(policy, card, args.output, dtype=BY_NAME[args.dtype])
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {read_card(find(path)).sha256}")
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
