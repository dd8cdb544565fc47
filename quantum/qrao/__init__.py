"""Quantum random access optimization: up to three variables in the directions of a qubit's Bloch vector."""

from quantum.qrao.encoding import RandomAccessCode
from quantum.qrao.grouping import groups
from quantum.qrao.rounding import Rounding, magic, semideterministic
from quantum.qrao.solver import QRAO

__all__ = ["QRAO", "RandomAccessCode", "Rounding", "groups", "magic", "semideterministic"]
