"""`python -m co_gym.cli`."""

import sys

from co_gym.cli import main

sys.exit(main())
