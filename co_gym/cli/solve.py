"""`co-gym solve`."""

from __future__ import annotations

import functools
import inspect
import json as json_module
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from co_gym.errors import CoGymError
    from co_gym.instance import Instance
    from co_gym.report.progress import ProgressLine
    from co_gym.result import Result
    from co_gym.solvers.base import Options
    from co_gym.solvers.settings import Setting


def solve(
    files: list[str],
    method: str = "auto",
    time_limit: float = 60.0,
    node_limit: int | None = None,
    memory_limit: float | None = None,
    seed: int = 0,
    start: str | None = None,
    output: str | None = None,
    plot: str | None = None,
    submission: str | None = None,
    show: bool = False,
    json: bool = False,
    format: str | None = None,
    **settings: Any,
) -> int:
    """Solve the problems in files and have every answer verified.

    Args:
        files: TSPLIB, OR-Library mknap, .kp, DIMACS graph, QAPLIB, market split, MPS or LP files.
        method: A solver (see `co-gym solvers`), a role such as `local-search` or `exact`, several joined by `+`,
            or `auto`: local search, then an exact solver for the proof.
        time_limit: Seconds per problem.
        node_limit: Branch-and-bound nodes per problem.
        memory_limit: Megabytes for an exact solver.
        seed: Seed of everything random.
        start: File with a feasible solution to begin with.
        output: Write the solution here; .tour, .sol and .json are written as such, else one number a line.
        plot: Write a picture of the solution and of the convergence here (.png, .pdf or .svg).
        submission: Write a row for each problem here (.csv), in the submission format of the Quantum Optimization
            Benchmarking Library.
        show: Draw the solution in the terminal.
        json: Print one JSON object per problem, and nothing else, on standard output.
        format: Name of the files' format, if it is not recognised.
    """
    from co_gym.errors import CoGymError
    from co_gym.report.comparison import print_comparison
    from co_gym.report.progress import ProgressLine
    from co_gym.report.table import print_results
    from co_gym.solvers.base import Options

    given = {name: value for name, value in settings.items() if value is not None}
    options = Options(time_limit, node_limit, memory_limit, seed, given)
    results: list[Result] = []
    codes = []
    for item in _instances(files, format):
        try:
            if isinstance(item, CoGymError):
                raise item
            with ProgressLine(item.name, time_limit) as line:
                result = _solve_one(item, method, options, start, line)
        except CoGymError as error:
            print(f"co-gym: {_whose(item, error)}{error}", file=sys.stderr)
            codes.append(2)
            continue
        results.append(result)
        codes.append(_report(result, json=json))
        if result.interrupted:
            break
    if not json:
        print_results(results)
        for result in results:
            print_comparison(result)
    if show and not json:
        _draw(results)
    _write_files(results, output, plot, quiet=json)
    if submission is not None:
        from co_gym.report.qoblib import write_submission

        write_submission(submission, results)
    return next((code for code in (2, 1, 3) if code in codes), 0)


def _whose(item: Instance | CoGymError, error: CoGymError) -> str:
    """The instance that a solver could not handle, unless its message says so."""
    from co_gym.errors import CoGymError, SolverError

    if isinstance(item, CoGymError) or not isinstance(error, SolverError) or item.name in str(error):
        return ""
    return f"{item.name}: "


def with_settings(command: Callable[..., int]) -> Callable[..., int]:
    """The command with an option for each setting of each registered solver, in place of its `**settings`."""
    from co_gym import registry
    from co_gym.solvers.settings import settings_of

    takers: dict[str, list[str]] = {}
    found: dict[str, Setting] = {}
    for solver in registry.solvers():
        for name, setting in settings_of(solver).items():
            takers.setdefault(name, []).append(f"`{solver.name}`")
            found.setdefault(name, setting)
    signature = inspect.signature(command)
    parameters = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=setting.kind | None)
        for name, setting in found.items()
    ]
    lines = [
        f"        {name}: For {', '.join(takers[name])}: {setting.full_doc}.\n" for name, setting in found.items()
    ]

    @functools.wraps(command)
    def extended(*args: Any, **keywords: Any) -> int:
        return command(*args, **keywords)

    extended.__doc__ = f"{(command.__doc__ or '').rstrip()}\n{''.join(lines)}"
    extended.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return extended


def _instances(files: list[str], format: str | None) -> Iterator[Instance | CoGymError]:
    """The instances of all files; a file that cannot be read yields its error instead."""
    from co_gym.errors import CoGymError
    from co_gym.io import read

    for file in files:
        try:
            yield from read(file, format=format)
        except CoGymError as error:
            yield error


def _solve_one(instance: Instance, method: str, options: Options, start: str | None, line: ProgressLine) -> Result:
    from co_gym.io.solutions import read_solution
    from co_gym.runner import solve as run

    first = None if start is None else read_solution(start, instance)
    return run(instance, method, options=options, start=first, on_event=line.update)


def _report(result: Result, *, json: bool) -> int:
    """Prints what must not be missed; returns the exit code that the result deserves."""
    if json:
        print(json_module.dumps(result.to_json(), allow_nan=False), flush=True)
    name = result.instance.name
    if result.check is not None and not result.check.ok:
        reasons = [*result.check.violations[:5], *filter(None, [result.check.claim_error])]
        print(f"co-gym: {name}: {result.method} is contradicted: {'; '.join(reasons)}", file=sys.stderr)
        return 1
    if "error" in result.details:
        print(f"co-gym: {name}: {result.method} failed: {result.details['error']}", file=sys.stderr)
        return 1
    if result.status in ("infeasible", "unbounded"):
        print(f"co-gym: {result.instance.source or name}: the model is {result.status}", file=sys.stderr)
        return 2
    if result.status == "unknown":
        why = result.details.get("why", "no solution found within the limits")
        print(f"co-gym: {name}: {why}", file=sys.stderr)
        return 3
    return 0


def _draw(results: list[Result]) -> None:
    from co_gym.report.terminal import draw_in_terminal

    for result in results:
        if result.feasible:
            print(f"{result.instance.name}\n{draw_in_terminal(result)}")


def _write_files(results: list[Result], output: str | None, plot: str | None, *, quiet: bool) -> None:
    from co_gym.io.solutions import write_solution
    from co_gym.report.plots import save_figure

    for result, label in zip(results, _labels(results), strict=True):
        if result.solution is None or not result.feasible:
            continue
        if output is not None:
            path = path_for(output, label)
            write_solution(path, result.instance, result.solution, result.objective)
            if not quiet:
                print(f"solution: {path}")
        if plot is not None:
            path = path_for(plot, label)
            save_figure(result, path)
            if not quiet:
                print(f"picture: {path}")


def _labels(results: list[Result]) -> list[str]:
    """What tells the files of several results apart: the instances' names, numbered where they repeat."""
    if len(results) == 1:
        return [""]
    names = [result.instance.name.replace("/", "_").replace("#", "-") for result in results]
    return [
        name if names.count(name) == 1 else f"{name}-{names[: i + 1].count(name)}" for i, name in enumerate(names)
    ]


def path_for(path: str, label: str) -> Path:
    """`path`, with a label added to its stem if there is one."""
    target = Path(path)
    return target.with_name(f"{target.stem}-{label}{target.suffix}") if label else target
