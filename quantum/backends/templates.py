"""Circuits without their coefficients: what has to be compiled only once.

A dual method runs one circuit after another that differ in the coefficients of their Hamiltonian alone. With a
parameter for every term they are one circuit, whose transpilation is the costly part on a device.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantum.circuits import FIXED, Circuit, Phase
from quantum.hamiltonians import Ising


@dataclass(frozen=True, eq=False)
class Template:
    """A circuit with a parameter for every term of its Hamiltonians, and what binds it to a given one.

    Attributes:
        circuit: Parameters of the given circuit come first.
        sources: [k] int64, the parameter of the given circuit in each term.
        factors: [k] float64, by which it is multiplied.
    """

    circuit: Circuit
    sources: NDArray
    factors: NDArray

    def bind(self, angles: NDArray) -> NDArray:
        """Angles [..., P + k] of the template, from those [..., P] of the circuit."""
        return np.concatenate([angles, angles[..., self.sources] * self.factors], axis=-1)


def template(circuit: Circuit) -> Template:
    """The template of a circuit; terms that are 0 are left out, and those without a parameter stay as they are.

    Gates without parameters are left to the transpiler, which needs fewer for some angles.
    """
    layers, sources, factors = [], [], []
    number = circuit.num_parameters
    for layer in circuit.layers:
        if isinstance(layer, Phase) and isinstance(layer.diagonal, Ising):
            ising = layer.diagonal
            values = np.concatenate([ising.fields, ising.couplings])
            numbers = np.broadcast_to(np.asarray(layer.parameters), values.shape).copy()
            bound = np.flatnonzero((values != 0.0) & (numbers != FIXED))
            sources.append(numbers[bound])
            factors.append(2.0 * values[bound])
            numbers[bound], values[bound] = np.arange(number, number + bound.size), 0.5
            q = ising.num_qubits
            layer = Phase(Ising(0.0, values[:q], ising.pairs, values[q:]), numbers)
            number += bound.size
        layers.append(layer)
    return Template(
        replace(circuit, layers=tuple(layers), num_parameters=number),
        np.concatenate([np.zeros(0, dtype=np.int64), *sources]),
        np.concatenate([np.zeros(0), *factors]),
    )


def digest(circuit: Circuit) -> str:
    """Hexadecimal digits that are the same for circuits with the same layers, coefficients and initial state."""
    state = hashlib.sha256()
    _feed(state, circuit)
    return state.hexdigest()[:32]


def _feed(state: Any, value: Any) -> None:
    state.update(type(value).__name__.encode())
    if isinstance(value, np.ndarray):
        value = np.ascontiguousarray(value + 0.0 if value.dtype.kind == "f" else value)  # -0.0 is 0.0
        state.update(f"{value.dtype.str}{value.shape}".encode() + value.tobytes())
    elif is_dataclass(value):
        for one in fields(value):
            _feed(state, getattr(value, one.name))
    elif isinstance(value, tuple):
        state.update(str(len(value)).encode())
        for part in value:
            _feed(state, part)
    elif hasattr(value, "energies"):
        _feed(state, value.energies())
    else:
        state.update(repr(value).encode() + b";")
