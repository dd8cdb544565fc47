"""Size of the circuits of encodings: `python scripts/bench_encodings.py knapsack-files`.

One layer of QAOA for each instance of a set (see bench_quantum.py) and each encoding, transpiled to the gates cz,
rz, sx and x on a heavy-hexagonal lattice, as on IBM's devices, or between all qubits: qubits of the encoding, its
terms on two qubits, two-qubit gates and depth. The last columns are ratios to the first encoding, and
the last row is the mean of those.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from bench_quantum import SETS
from jsonargparse import auto_cli
from rich.console import Console
from rich.table import Table

from co_gym.cli import Parser
from co_gym.errors import SolverError, unknown_name
from quantum.ansatze import ansatz
from quantum.backends.transpiled import counts
from quantum.encodings import encoding
from quantum.encodings.resources import resources
from quantum.instances import subject


def main(
    name: str,
    encodings: list[str] = ["slack", "unbalanced", "lagrangian"],  # noqa: B006
    instances: int | None = None,
    coupling: Literal["heavy-hex", "all"] = "heavy-hex",
    level: int = 1,
) -> None:
    """Compares encodings by the size of their circuits.

    Args:
        name: Of a set of instances.
        encodings: The first is what others are compared with.
        instances: How many of the set; all by default.
        coupling: Which qubits have gates between them.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
    """
    if name not in SETS:
        raise unknown_name("set", name, list(SETS))
    table = Table(title=f"{name}: one layer of QAOA, {coupling}, level {level}")
    for column in ("instance", "encoding"):
        table.add_column(column)
    for column in ("qubits", "terms", "two-qubit gates", "depth", "qubits, ratio", "gates, ratio", "depth, ratio"):
        table.add_column(column, justify="right")
    ratios: dict[str, list[list[float]]] = {one: [] for one in encodings}
    for instance in SETS[name]()[:instances]:
        program = subject(instance).program
        first: list[int] | None = None
        for one in encodings:
            try:
                encoded = encoding(one).encode(program)
            except SolverError as error:
                table.add_row(instance.name, one, str(error))
                continue
            size = counts(ansatz("qaoa").circuit(encoded, 1), None if coupling == "all" else "heavy-hex", level)
            figures = [encoded.diagonal.num_qubits, size.two_qubit_gates, size.depth]
            first = first or figures
            ratio = [figure / max(other, 1) for figure, other in zip(figures, first, strict=True)]
            ratios[one].append(ratio)
            terms = resources(encoded)["quadratic"]
            shown = [figures[0], terms, figures[1], figures[2], *(f"{value:.2f}" for value in ratio)]
            table.add_row(instance.name, one, *map(str, shown))
    for one, rows in ratios.items():
        if rows:
            means = [f"{value:.2f}" for value in np.mean(rows, axis=0)]
            table.add_row("mean", one, "", "", "", "", *means, style="bold")
    Console(width=160).print(table)


if __name__ == "__main__":
    auto_cli(main, parser_class=Parser)
