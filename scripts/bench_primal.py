"""How soon solvers find good solutions: `python scripts/bench_primal.py item-placement-medium --instances 5`.

Each test instance is solved by all methods, one after the other on one thread. A solve is a line of a file
(`--output`) with its incumbents, and what the file holds already is not run again, so an interrupted run goes on.
`--report` prints the tables of such a file, `--plot` draws them.

A method is the name of a solver (`co-gym solvers`) with settings behind it, `name key=value key=value`: `scip`,
`scip heuristics=aggressive` (or `scip aggressive` for short), `highs`, `destroy-and-repair`,
`scip predict=auto hooks=prediction-heuristic`. A value is JSON if it can be read as such, else text. `cp-sat` is
OR-Tools' CP-SAT (extra `bench`, see peers/cp_sat.py), whose parameters are its settings:
`cp-sat interleave_search=true`.

The primal gap is |objective - best| / max(|objective|, |best|), 1 without a solution or where signs differ; best
is the best that any method in the file found. The primal integral is its integral over time (Berthold 2013). Means
are taken over the instances that every method of a table has run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonargparse import auto_cli
from primal_comparison import Comparison, Solve, check_picture, print_table, save_plot

from co_gym.cli import Parser
from co_gym.errors import CoGymError
from co_gym.solvers import settings

METHODS = ["scip", "scip aggressive", "highs"]
CHECKPOINTS = [10.0, 30.0, 60.0]
CP_SAT = "cp-sat"


def main(
    distributions: list[str],
    instances: int = 5,
    first: int = 0,
    methods: list[str] | None = None,
    checkpoints: list[float] = CHECKPOINTS,
    output: str = "runs/bench_primal.jsonl",
    core: int | None = None,
    split: str = "test",
    report: bool = False,
    plot: str | None = None,
) -> None:
    """Compares methods by their primal gaps.

    Args:
        distributions: Names of distributions, or folders.
        instances: How many of each.
        first: Number of the first one.
        methods: What to run and to show, each as `name key=value ...`; by default `scip`, `scip aggressive` and
            `highs` are run, and all that `output` holds is shown.
        checkpoints: Seconds at which gaps are compared; the last is the time limit.
        output: File of the solves.
        core: Run on this core alone, at real-time priority if that is allowed.
        split: Of the distributions.
        report: Only print the tables of what `output` holds.
        plot: Draw the mean gaps over time here (.png, .pdf or .svg).
    """
    parsed = {method: parse_method(method) for method in methods or METHODS}
    if plot is not None:
        check_picture(plot)
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not report:
        if any(solver == CP_SAT for solver, _ in parsed.values()):
            import peers.cp_sat  # noqa: F401  a missing OR-Tools is found now, not after the other methods
        if core is not None:
            from bench_branching import pin

            pin(core)
        done = {(one["distribution"], one["instance"], one["method"]) for one in read(path)}
        for name in distributions:
            for index in range(first, first + instances):
                for method in parsed:
                    if (name, index, method) not in done:
                        one = solve(name, split, index, method, checkpoints[-1])
                        with path.open("a", encoding="utf-8") as stream:
                            stream.write(json.dumps(one) + "\n")
                        print(
                            *(one[k] for k in ("distribution", "instance", "method", "status", "objective")),
                            flush=True,
                        )
    known = read(path)
    comparisons = [
        Comparison([one for one in known if one["distribution"] == name], methods) for name in distributions
    ]
    for name, comparison in zip(distributions, comparisons, strict=True):
        print_table(name, comparison, checkpoints)
    if plot is not None:
        save_plot(plot, dict(zip(distributions, comparisons, strict=True)), checkpoints[-1])


def read(path: Path) -> list[Solve]:
    """The solves in a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def parse_method(method: str) -> tuple[str, dict[str, Any]]:
    """See `co_gym.solvers.settings.parse_method`; SCIP's emphasis on heuristics needs no key."""
    words = method.split()
    if words[:1] == ["scip"]:
        words = [word if "=" in word or i == 0 else f"heuristics={word}" for i, word in enumerate(words)]
    return settings.parse_method(" ".join(words))


def solve(name: str, split: str, index: int, method: str, time_limit: float) -> Solve:
    """Solves one instance with one method.

    Raises:
        InputError: If there is no such method, or it has no such setting.
        KeyboardInterrupt: After Ctrl-C; what a solve had found until then is no result.
    """
    import co_gym
    from co_gym.solvers.base import Options
    from milp.distributions import distribution

    instance = distribution(name).instance(split, index)
    problem = co_gym.problem(instance.problem)
    solver, given = parse_method(method)
    if solver == CP_SAT:
        from peers import cp_sat

        result: Any = cp_sat.solve(problem.formulate(instance).program, time_limit, index, given)
        seconds, steps = result.seconds, result.incumbents
    else:
        result = co_gym.solve(instance, solver, options=Options(time_limit, seed=index, settings=given))
        if result.interrupted:
            raise KeyboardInterrupt
        seconds, steps = result.runtime, [(e.time, e.objective) for e in result.history if e.objective is not None]
    incumbents: list[tuple[float, float]] = []
    for when, objective in steps:
        if not incumbents or incumbents[-1][1] != objective:
            incumbents.append((round(when, 3), float(objective)))
    return {
        "distribution": name,
        "instance": index,
        "method": method,
        "status": result.status,
        "minimize": problem.sense_of(instance) == "minimize",
        "seconds": round(seconds, 3),
        "objective": None if result.objective is None else float(result.objective),
        "bound": None if result.bound is None else float(result.bound),
        "incumbents": incumbents,
    }


if __name__ == "__main__":
    try:
        auto_cli(main, parser_class=Parser)
    except CoGymError as error:
        raise SystemExit(f"bench_primal.py: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("bench_primal.py: interrupted") from None
