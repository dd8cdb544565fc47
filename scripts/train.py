"""Trains, validates and tests policies: `python scripts/train.py fit --config configs/tsp/pomo_20.yaml`.

Every class and hyper-parameter comes from the configuration and the command line; `--print_config` shows all.
"""

import sys

from policies.learning.cli import main

if __name__ == "__main__":
    sys.exit(main())
