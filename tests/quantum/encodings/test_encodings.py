from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from co_gym import registry
from co_gym.errors import InputError
from quantum import encodings
from quantum.encodings.augmented import Augmented, Hinge
from quantum.encodings.base import Encoded, Encoding
from quantum.encodings.slack import Slack
from quantum.encodings.unbalanced import Unbalanced
from quantum.hamiltonians import Ising, Table
from quantum.programs import binary_program

PLACES = {
    "slack": "slack:Slack", "lagrangian": "lagrangian:Lagrangian", "augmented": "augmented:Augmented",
    "hinge": "augmented:Hinge", "unbalanced": "unbalanced:Unbalanced",
}  # fmt: skip


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    group = registry.GROUPS["encodings"]
    made = {name: EntryPoint(name, f"quantum.encodings.{where}", group) for name, where in PLACES.items()}
    monkeypatch.setattr(registry, "entries", lambda kind: made if kind == "encodings" else {})


@pytest.mark.usefixtures("_registered")
def test_encodings_have_names_summaries_and_constants() -> None:
    assert set(registry.encodings()) == set(PLACES)
    for name, found in registry.encodings().items():
        assert encodings.encoding(name) is found
        assert found.name == name
        assert found.summary
        assert found.takes_multipliers == (name != "slack")
        assert found.exact == (name == "slack")
    assert encodings.encoding("unbalanced", l2=0.5) == Unbalanced(l2=0.5)
    with pytest.raises(InputError, match=r"unknown encoding 'slak'.*did you mean slack"):
        encodings.encoding("slak")
    with pytest.raises(InputError, match="unknown constant of the encoding 'slack' 'l1': expected one of halved"):
        encodings.encoding("slack", l1=2.0)


def test_variables_are_decoded_from_any_array_of_bits() -> None:
    diagonal = Ising(0.0, np.zeros(3), np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    program = binary_program(registry.problem("mis").formulate(registry.problem("mis").generate(2)[0]).program)
    encoded = Encoded(diagonal, np.array([2, 0]), program)
    bits = np.array([[[1, 0, 0], [0, 1, 1]]], dtype=np.uint8)
    decoded = encoded.decode(bits)
    assert decoded.tolist() == [[[0, 1], [1, 0]]]
    assert decoded.dtype == np.uint8


def test_resources_count_terms_that_are_not_zero() -> None:
    pairs = np.array([[0, 1], [1, 2]])
    instance = registry.problem("knapsack").generate(3, seed=0)[0]
    program = binary_program(registry.problem("knapsack").formulate(instance).program)
    made = Encoded(Ising(1.0, np.array([0.0, 1.0, 2.0]), pairs, np.array([0.0, 3.0])), np.arange(3), program)
    assert encodings.resources(made) == {"qubits": 3, "linear": 2, "quadratic": 1}
    assert encodings.resources(Encoded(Table(np.zeros(8)), np.arange(3), program)) == {"qubits": 3}


@pytest.mark.parametrize(
    ("file", "qubits", "shorter"), [("hp1.dat", 60, 56), ("pb5.dat", 116, 106), ("pet2.dat", 98, 88)]
)
def test_qubits_of_published_knapsacks(file: str, qubits: int, shorter: int, shared_data: Path) -> None:
    """Published with slack: 60, 116 and 99; a row of pet2 has a common divisor."""
    from co_gym.io import read

    instance = read(shared_data / "mknap" / file)[0]
    program = binary_program(registry.problem("multiknapsack").formulate(instance).program)
    n = program.num_variables
    made: list[tuple[Encoding, int]] = [
        (Slack(), qubits), (Slack(halved=True), shorter), (Augmented(), n), (Unbalanced(), n)
    ]  # fmt: skip
    for encoding, expected in made:
        assert encodings.resources(encoding.encode(program))["qubits"] == expected, encoding
    if n <= 10:
        assert encodings.resources(Hinge().encode(program)) == {"qubits": n}
