"""What a user chooses of a quantum method, and the settings by which it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from co_gym.solvers.settings import Setting


@dataclass(frozen=True)
class Choices:
    """How a quantum method is set up; each field is a setting of the same name.

    Attributes:
        form: Formulation of the problem; None for the first one that fits.
        fix: Variables that are fixed before encoding: `none`, those that `propagation` of single rows fixes, or
            also those that `reduced-costs` show to have one value in all solutions better than the start.
        encoding: See `quantum.encodings`.
        multipliers: `auto` (what suits the encoding), `lp` (dual values of the LP relaxation), `zero`, or a
            rule that updates the dual values.
        first_multipliers: Where a rule begins: `lp` or `zero`.
        steps: Updates of multipliers.
        ansatz: See `quantum.ansatze`.
        layers: Of the ansatz.
        backend: See `quantum.backends`.
        objective: See `quantum.objectives.objective`.
        score: What a sample is worth when angles are tuned: its energy, or the program's objective, where what is
            not feasible counts as the worst.
        tuning: On the exact distribution, which only simulators know, on samples, or the first where it is there.
        evaluations: Of the target, in one tuning.
        angles: To begin with: `schedule` (good ones for typical instances), or `grown` from layer to layer.
        shots: Samples of one evaluation, and of the final circuit.
        repair: Whether samples that are not feasible are mended.
        comparison: Whether methods without anything quantum are run beside it.
        ledger: File in which samples are kept, so that an interrupted run goes on; None for none.
    """

    form: str | None = None
    fix: str = "none"
    encoding: str = "unbalanced"
    multipliers: str = "auto"
    first_multipliers: str = "lp"
    steps: int = 10
    ansatz: str = "ws-qaoa"
    layers: int = 3
    backend: str = "fast"
    objective: str = "cvar:0.25"
    score: str = "objective"
    tuning: str = "auto"
    evaluations: int = 60
    angles: str = "schedule"
    shots: int = 1024
    repair: bool = False
    comparison: bool = True
    ledger: str | None = None

    def having(self, settings: Mapping[str, Any]) -> Choices:
        """These, with what settings say instead."""
        return replace(self, **settings)


DOCS: dict[str, Setting] = {
    "form": Setting("formulation of the problem; by default the first one that fits"),
    "fix": Setting("variables that are fixed before", choices=("none", "propagation", "reduced-costs")),
    "encoding": Setting(
        "how constraints enter the Hamiltonian: `slack`, `lagrangian`, `augmented`, `unbalanced` ..."
    ),
    "multipliers": Setting(
        "`auto`, `lp` (dual values), `zero`, or a rule that updates these: `dual-ascent`, `bundle` ..."
    ),
    "first_multipliers": Setting("where a rule begins; by default at the dual values", choices=("lp", "zero")),
    "steps": Setting("updates of multipliers", int, minimum=1),
    "ansatz": Setting("`qaoa`, `ws-qaoa`, `ma-qaoa`, `xy`, `grover`, `hardware-efficient` or `product`"),
    "layers": Setting("of the ansatz", int, minimum=1),
    "backend": Setting(
        "`fast`, `statevector`, `aer`, `aer:mps`, `generic:<qubits>`, `fake_<device>`, `ibm:<device>`"
    ),
    "objective": Setting("what is minimized over the angles: `mean`, `cvar:<share>` or `gibbs:<eta>`"),
    "score": Setting("what a sample is worth there", choices=("energy", "objective")),
    "tuning": Setting("of the angles, on what", choices=("auto", "exact", "samples")),
    "evaluations": Setting("of the objective, in one tuning", int, minimum=1),
    "angles": Setting("to begin with", choices=("schedule", "grown")),
    "shots": Setting("samples of one evaluation, and of the final circuit", int, minimum=1),
    "repair": Setting("mend samples that are not feasible", bool),
    "comparison": Setting("run methods without anything quantum beside it; on by default", bool),
    "ledger": Setting("file in which samples are kept, so that an interrupted run goes on"),
}
"""The settings by name."""

assert DOCS.keys() == {field.name for field in fields(Choices)}
