"""The command `co-gym`: each subcommand is a function, its options are the function's parameters.

Other packages add subcommands by lines in the entry-point group `co_gym.commands`.
"""

from __future__ import annotations

import sys
from typing import Any

from jsonargparse import ArgumentParser, auto_cli


class Parser(ArgumentParser):
    """Options as one expects them at a shell: `--time-limit` beside `--time_limit`, `--json` without a value."""

    def add_argument(self, *args: Any, **kwargs: Any) -> Any:
        """See `argparse`; adapts what `auto_cli` derives from a function's signature."""
        if not args[0].startswith("-") and "action" in kwargs:
            kwargs = {k: v for k, v in kwargs.items() if k != "action"} | {"type": str, "nargs": "+"}
            kwargs["metavar"] = args[0].rstrip("s").upper()
        elif kwargs.get("type") is bool and kwargs.get("default") is False:
            kwargs = {k: v for k, v in kwargs.items() if k != "type"} | {"action": "store_true"}
        if args[0].startswith("--") and "_" in args[0]:
            args = (args[0].replace("_", "-"), *args)
        return super().add_argument(*args, **kwargs)


def main(args: list[str] | None = None) -> int:
    """Runs `co-gym` and returns its exit code.

    0: solved or feasible; 1: a solver's answer was refused or its claims contradict it; 2: bad input, or a model
    proven infeasible or unbounded; 3: no solution within the limits; 130: interrupted before there was a result.
    """
    from co_gym import registry
    from co_gym.cli.doctor import doctor
    from co_gym.cli.generate import generate
    from co_gym.cli.solve import solve, with_settings
    from co_gym.cli.solvers import solvers
    from co_gym.cli.verify import verify
    from co_gym.errors import CoGymError

    own: dict[str, Any] = {f.__name__: f for f in (solve, verify, generate, solvers, doctor)}
    commands = own | {name: f for name, f in registry.commands().items() if name not in own}
    first = next(iter(sys.argv[1:] if args is None else args), None)
    if first == "solve" or first not in commands:  # another command need not load every solver
        commands["solve"] = with_settings(solve)
    try:
        code = auto_cli(commands, args=args, prog="co-gym", parser_class=Parser)
    except CoGymError as error:
        print(f"co-gym: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("co-gym: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    return int(code or 0)
