"""Solves problems by qiskit-optimization's QAOA; run by bench_qiskit_optimization.py in an environment of its own.

Usage: python qiskit_qaoa.py, with a request in JSON on each line of the standard input and an answer on each line
of the output.

The clock runs from the data to the answer: quadratic program, QUBO by the default converters and penalty, QAOA by
COBYLA from random angles (the default), best sample of the final circuit, and its status.
"""

import json
import sys
import time

import numpy as np
from qiskit.primitives import StatevectorSampler
from qiskit_optimization import QuadraticProgram
from qiskit_optimization.algorithms import MinimumEigenOptimizer, OptimizationResultStatus
from qiskit_optimization.minimum_eigensolvers import QAOA
from qiskit_optimization.optimizers import COBYLA
from qiskit_optimization.utils import algorithm_globals


def program_of(problem, data):
    """The quadratic program of a knapsack or of an independent set."""
    program = QuadraticProgram()
    profits = data["profits"] if problem == "knapsack" else data["weights"]
    program.binary_var_list(len(profits))
    program.maximize(linear=profits)
    if problem == "knapsack":
        program.linear_constraint(data["weights"], "<=", data["capacity"])
    else:
        for u, v in data["edges"]:
            program.linear_constraint({u: 1, v: 1}, "<=", 1)
    return program


def counting(sampler):
    """The same sampler, and a list that gets an entry for each circuit it runs."""
    circuits, run = [], sampler.run

    def counted(pubs, **options):
        circuits.extend(pubs)
        return run(pubs, **options)

    sampler.run = counted
    return sampler, circuits


def sampler_of(name, shots, seed):
    """A sampler, and the pass manager that it needs."""
    if name == "statevector":
        return StatevectorSampler(default_shots=shots, seed=seed), None
    from qiskit.transpiler import generate_preset_pass_manager
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import SamplerV2

    options = {"backend_options": {"max_parallel_threads": 1}}
    return SamplerV2(default_shots=shots, seed=seed, options=options), generate_preset_pass_manager(
        1, AerSimulator()
    )


def solve(problem, data, layers, evaluations, shots, sampler, seed):
    """One solve: times, counts, the answer, and the best feasible value with its share of the samples."""
    algorithm_globals.random_seed = seed
    start, cpu = time.perf_counter(), time.process_time()
    program = program_of(problem, data)
    made, passes = sampler_of(sampler, shots, seed)
    made, circuits = counting(made)
    qaoa = QAOA(made, COBYLA(maxiter=evaluations), reps=layers, pass_manager=passes)
    result = MinimumEigenOptimizer(qaoa).solve(program)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    found = result.min_eigen_solver_result
    feasible = [s for s in result.samples if s.status == OptimizationResultStatus.SUCCESS]
    best = max((s.fval for s in feasible), default=None)
    return {
        "wall": wall,
        "cpu": cpu,
        "solution": np.rint(result.x).astype(int).tolist(),
        "qubits": found.optimal_circuit.num_qubits,
        "evaluations": int(found.cost_function_evals),
        "circuits": len(circuits),
        "best": None if best is None else float(best),
        "share": float(sum(s.probability for s in feasible if s.fval == best)),
    }


def main():
    for line in sys.stdin:
        print(json.dumps(solve(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
