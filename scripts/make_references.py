"""Makes the references of the test sets of `policies.testsets`: proven optima where the proof is affordable.

Usage: python scripts/make_references.py NAME... [--jobs 1] [--limit 30] [--partial build/references]

Each finished instance is a line of `<partial>/<name>.jsonl`, so that an interrupted run goes on where it ended;
the set's file in `policies/references` is written once all its instances are done. Lines taken out are made anew.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from independent_set import independence_number
from joblib import Parallel, delayed
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy import sparse

from co_gym import Instance, Options, Result, registry, solve, verify
from co_gym.errors import InputError, SolverError
from co_gym.problems.mip import MIP
from co_gym.problems.mis import MIS, adjacency_matrix
from policies import testsets
from policies.testsets import ReferenceSet, digest, load

METHODS = {
    "tsp": "fast-tsp, then branch and cut from its tour; tours within 1e-9 relative count as equal",
    "knapsack": "SCIP to gap 0, feasible to the verifier; float objectives to within 1e-6 relative",
    "multiknapsack": "SCIP to gap 0, feasible to the verifier; float objectives to within 1e-6 relative",
    "mis": "local search, then branch and bound with colour bounds (San Segundo et al. 2011)",
}
TOUR_SECONDS_PER_CITY = 1 / 500
INDEPENDENT_SET_SECONDS = 0.05
"""Of the local searches before the proofs."""
NODE_LIMIT = 15_000_000
"""Of the branch and bound for independent sets: some 30 s at 300 nodes."""


def best_tour(instance: Instance, limit: float) -> tuple[Any, bool]:
    """Length of the best tour, and whether it is proven."""
    seconds = len(instance["coordinates"]) * TOUR_SECONDS_PER_CITY
    found = solve(instance, "fast-tsp", options=Options(time_limit=seconds))
    result = solve(instance, "scip", options=Options(time_limit=limit), start=feasible_solution(found))
    return result.objective, result.status == "optimal"


def best_packing(instance: Instance, limit: float) -> tuple[Any, bool]:
    """Profit of the best choice of items, and whether it is proven.

    SCIP lets a capacity be exceeded by 1e-6 relative. Items chosen so are a cover: a cut forbids them, and the
    search begins anew until the verifier finds the choice feasible.
    """
    program = registry.problem(instance.problem).formulate(instance).program
    while True:
        result = solve(MIP().from_program(program), "scip", options=Options(time_limit=limit))
        chosen = np.round(feasible_solution(result)).astype(np.int64)
        check = verify(instance, chosen)
        if check.feasible:
            return check.objective, result.status == "optimal"
        program = replace(
            program,
            A=sparse.csr_matrix(sparse.vstack([program.A, chosen[None, :].astype(np.float64)])),
            row_lower=np.append(program.row_lower, -np.inf),
            row_upper=np.append(program.row_upper, chosen.sum() - 1.0),
        )


def best_independent_set(instance: Instance, limit: float) -> tuple[int, bool]:
    """Size of the largest independent set of an unweighted graph, and whether it is proven."""
    if (instance["weights"] != 1).any():
        raise InputError(f"{instance.name} has weights: expected an unweighted graph")
    found = solve(instance, "local-search", options=Options(time_limit=min(limit, INDEPENDENT_SET_SECONDS)))
    adjacency = adjacency_matrix(instance["edges"], MIS().size(instance))
    known = int(feasible_solution(found).sum())
    return independence_number(adjacency, at_least=known, node_limit=NODE_LIMIT)


def feasible_solution(result: Result) -> NDArray:
    """The solution of a result that the verifier found feasible."""
    if not result.feasible or result.solution is None:
        raise SolverError(f"{result.instance.name}: {result.method} gave no feasible solution: {result.check}")
    return result.solution


BEST = {
    "tsp": best_tour,
    "knapsack": best_packing,
    "multiknapsack": best_packing,
    "mis": best_independent_set,
}


def record(instance: Instance, index: int, limit: float) -> dict[str, Any]:
    """One line of the partial results."""
    objective, proven = BEST[instance.problem](instance, limit)
    return {"index": index, "objective": objective, "proven": proven, "digest": digest(instance)}


def partial_results(path: Path, instances: list[Instance]) -> dict[int, dict[str, Any]]:
    """The finished instances by index; lines made for other instances do not count."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    digests = dict(enumerate(digest(instance) for instance in instances))
    return {r["index"]: r for r in lines if r["digest"] == digests.get(r["index"])}


def make(spec: ReferenceSet, folder: Path, jobs: int, limit: float) -> None:
    """Solves what is not solved yet and writes the set's file."""
    path, instances = folder / f"{spec.name}.jsonl", spec.generate()
    done = partial_results(path, instances)
    missing = [i for i in range(spec.count) if i not in done]
    results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(record)(instances[i], i, limit) for i in missing
    )
    with path.open("a") as file:
        for result in track(results, spec.name, total=len(missing), console=Console(stderr=True)):
            print(json.dumps(result), file=file, flush=True)
            done[result["index"]] = result
    write(spec, [done[i] for i in range(spec.count)])


def write(spec: ReferenceSet, results: list[dict[str, Any]]) -> None:
    """Writes `<name>.npz` and notes in `sets.json` how it was made."""
    objectives = np.array([r["objective"] for r in results])
    proven = np.array([r["proven"] for r in results])
    digests = np.array([r["digest"] for r in results], dtype=np.uint32)
    target = testsets.FOLDER / f"{spec.name}.npz"
    np.savez_compressed(target, objectives=objectives, proven=proven, digests=digests)
    known = json.loads((testsets.FOLDER / "sets.json").read_text(encoding="utf-8"))
    mean = round(float(objectives.mean()), 6)
    known[spec.name]["made"] = {"method": METHODS[spec.problem], "proven": int(proven.sum()), "mean": mean}
    (testsets.FOLDER / "sets.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    print(f"{spec.name}: mean {mean}, {proven.sum()} of {spec.count} proven, {target.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="+", choices=testsets.sets(), metavar="NAME", help=", ".join(testsets.sets())
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for the proof of an instance")
    parser.add_argument("--partial", type=Path, default=Path("build/references"), help="where partial results go")
    args = parser.parse_args()
    args.partial.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        make(load(name), args.partial, args.jobs, args.limit)


if __name__ == "__main__":
    main()
