"""Layers of a circuit in a subspace as steps that are done and undone on its amplitudes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.circuits import Exchange, Layer, Phase, Reflection, Subspace
from quantum.hamiltonians import Diagonal, Ising, Quadratic, state_bits
from quantum.kernels import subspaces

CHUNK = 1 << 14
"""Amplitudes that a thread gets at least."""

ROWS = 1 << 10
"""States whose energies are computed together where there is no kernel for them."""


class Workers:
    """Runs a kernel on ranges of its work."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def run(self, kernel: Callable[..., Any], *arguments: Any, size: int, weight: int = 1) -> float:
        """The sum of what the kernel returns for each range of `size` pieces of so many amplitudes each."""
        parts = min(self._threads, max(1, size * weight // CHUNK))
        if self._pool is None or parts == 1:
            return float(kernel(*arguments, 0, size) or 0.0)
        edges = np.linspace(0, size, parts + 1).astype(int).tolist()
        jobs = [self._pool.submit(kernel, *arguments, *edge) for edge in pairwise(edges)]
        return float(sum(job.result() or 0.0 for job in jobs))


@dataclass(frozen=True, eq=False)
class PhaseStep:
    """A phase by energies [K] times one angle."""

    energies: NDArray
    parameter: int

    def forward(self, state: NDArray, angles: NDArray, workers: Workers) -> None:
        """Does the step on a state, at angles [P + 1]."""
        workers.run(subspaces.phase, state, self.energies, angles[self.parameter], size=state.size)

    def backward(
        self, state: NDArray, costate: NDArray, angles: NDArray, gradient: NDArray, workers: Workers
    ) -> None:
        """Undoes the step on state and costate, and adds to the gradient [P + 1]."""
        gradient[self.parameter] += workers.run(
            subspaces.phase_back, state, costate, self.energies, angles[self.parameter], size=state.size
        )


@dataclass(frozen=True, eq=False)
class TermsStep:
    """A phase by an Ising Hamiltonian with an angle for each term, its energies computed each time."""

    places: NDArray
    ising: Ising
    parameters: NDArray

    def forward(self, state: NDArray, angles: NDArray, workers: Workers) -> None:
        """Does the step on a state, at angles [P + 1]."""
        workers.run(subspaces.phase, state, self._energies(angles), 1.0, size=state.size)

    def backward(
        self, state: NDArray, costate: NDArray, angles: NDArray, gradient: NDArray, workers: Workers
    ) -> None:
        """Undoes the step on state and costate, and adds to the gradient [P + 1]."""
        weights = np.empty(state.size)
        workers.run(subspaces.overlaps, costate, state, weights, size=state.size)
        np.add.at(gradient, self.parameters, self._slopes(weights))
        energies = self._energies(angles)
        for one in (state, costate):
            workers.run(subspaces.phase, one, energies, -1.0, size=state.size)

    def _energies(self, angles: NDArray) -> NDArray:
        q, scales = self.ising.num_qubits, angles[self.parameters]
        fields, couplings = self.ising.fields * scales[:q], self.ising.couplings * scales[q:]
        return quadratic_energies(self.places, Ising(0.0, fields, self.ising.pairs, couplings).quadratic())

    def _slopes(self, weights: NDArray) -> NDArray:
        """[q + k], sums of weights times each term."""
        q = self.ising.num_qubits
        single, double = np.empty(q), np.empty((q, q))
        subspaces.moments(self.places, weights, single, double)
        a, b = self.ising.pairs.T
        total = float(weights.sum())
        pairs = total - 2.0 * (single[a] + single[b]) + 4.0 * double[a, b]
        return np.concatenate([self.ising.fields * (total - 2.0 * single), self.ising.couplings * pairs])


@dataclass(frozen=True, eq=False)
class RegisterStep:
    """A layer's gates on one register: exchanges of its states, or, without these, a reflection."""

    groups: NDArray
    exchanged: tuple[NDArray, ...]
    parameter: int

    def forward(self, state: NDArray, angles: NDArray, workers: Workers) -> None:
        """Does the step on a state, at angles [P + 1]."""
        kernel = subspaces.exchange if self.exchanged else subspaces.reflect
        rows, size = self.groups.shape
        angle = angles[self.parameter]
        workers.run(kernel, state, self.groups, *self.exchanged, angle, size=size, weight=rows)

    def backward(
        self, state: NDArray, costate: NDArray, angles: NDArray, gradient: NDArray, workers: Workers
    ) -> None:
        """Undoes the step on state and costate, and adds to the gradient [P + 1]."""
        kernel = subspaces.exchange_back if self.exchanged else subspaces.reflect_back
        rows, size = self.groups.shape
        angle = angles[self.parameter]
        gradient[self.parameter] += workers.run(
            kernel, state, costate, self.groups, *self.exchanged, angle, size=size, weight=rows
        )


Step = PhaseStep | TermsStep | RegisterStep


class Tables:
    """What the steps of all layers share, made once."""

    def __init__(self, space: Subspace) -> None:
        self._space = space
        self._energies: dict[int, NDArray] = {}
        self._groups: dict[int, tuple[NDArray, NDArray]] = {}
        self._places: NDArray | None = None

    def steps(self, layer: Layer) -> list[Step]:
        """A layer as steps."""
        if isinstance(layer, Phase):
            return [self._phase(layer)]
        if isinstance(layer, Reflection):
            return [RegisterStep(self._register(layer.register)[0], (), layer.parameter)]
        assert isinstance(layer, Exchange), "a circuit in a subspace has no other layers"
        return self._exchange(layer)

    def energies(self, diagonal: Diagonal) -> NDArray:
        """[K] float64, energies of the states."""
        q = self._space.num_qubits
        if diagonal.num_qubits != q:
            raise InputError(f"a Hamiltonian of {diagonal.num_qubits} qubits: expected {q}")
        if isinstance(diagonal, Ising | Quadratic):
            form = diagonal.quadratic() if isinstance(diagonal, Ising) else diagonal
            return quadratic_energies(self._ones(), form)
        numbers = self._space.numbers
        parts = (numbers[start : start + ROWS] for start in range(0, numbers.size, ROWS))
        return np.concatenate([diagonal.energy(state_bits(part, q)) for part in parts])

    def _phase(self, layer: Phase) -> Step:
        diagonal, key = layer.diagonal, id(layer.diagonal)
        numbers = np.asarray(layer.parameters)
        if numbers.ndim and isinstance(diagonal, Ising):
            return TermsStep(self._ones(), diagonal, numbers)
        if key not in self._energies:
            plain = replace(diagonal, offset=0.0) if isinstance(diagonal, Ising) else diagonal
            self._energies[key] = self.energies(plain)
        return PhaseStep(self._energies[key], int(numbers))

    def _ones(self) -> NDArray:
        """[K, m] uint8, the qubits that are 1 in each state."""
        if self._places is None:
            numbers = self._space.numbers
            chosen = np.nonzero(self._space.bits())[1].astype(np.uint8)
            self._places = chosen.reshape(numbers.size, sum(self._space.ones))
        return self._places

    def _exchange(self, layer: Exchange) -> list[Step]:
        """Gates on different registers commute: they are sorted by register."""
        owner = {q: r for r, register in enumerate(self._space.registers) for q in register}
        by_register: dict[int, list[tuple[int, int]]] = {}
        for a, b in layer.pairs.tolist():
            if owner[a] != owner[b] or a == b:
                raise InputError(f"qubits {a} and {b} are exchanged: expected two of one register")
            by_register.setdefault(owner[a], []).append((a, b))
        steps: list[Step] = []
        for register, pairs in by_register.items():
            groups, words = self._register(register)
            first, second = _exchanged(words, pairs)
            if first.size:
                steps.append(RegisterStep(groups, (first, second), layer.parameter))
        return steps

    def _register(self, register: int) -> tuple[NDArray, NDArray]:
        """[d, G] int32, positions of states that agree outside of a register, and [d] int64, its states."""
        if register not in self._groups:
            numbers = self._space.numbers
            mask = sum(1 << q for q in self._space.registers[register])
            words = np.unique(numbers & mask)
            order = np.argsort(numbers & ~np.int64(mask), kind="stable").reshape(-1, words.size)
            self._groups[register] = np.ascontiguousarray(order.T, dtype=np.int32), words
        return self._groups[register]


def quadratic_energies(places: NDArray, form: Quadratic) -> NDArray:
    """[K] float64, energies of states whose ones are at `places` [K, m], in O(m^2) each."""
    couplings, energies = np.zeros((form.num_qubits,) * 2), np.empty(places.shape[0])
    couplings[form.pairs[:, 0], form.pairs[:, 1]] = form.weights
    subspaces.quadratic(places, form.linear, couplings, energies)
    energies += form.offset
    return energies


def _exchanged(words: NDArray, pairs: list[tuple[int, int]]) -> tuple[NDArray, NDArray]:
    """[t] int32 each, positions of the states of a register that its gates exchange, gate after gate."""
    first, second = [], []
    for a, b in pairs:
        here = np.flatnonzero((words >> a & 1) & ~(words >> b) & 1)
        first.append(here)
        second.append(np.searchsorted(words, words[here] ^ (1 << a | 1 << b)))
    return np.concatenate(first).astype(np.int32), np.concatenate(second).astype(np.int32)
