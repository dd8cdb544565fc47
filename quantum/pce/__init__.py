"""Pauli correlation encoding: the signs of correlators of few qubits are the bits of many variables."""

from quantum.pce.encoding import PauliCorrelations
from quantum.pce.loss import CorrelationLoss
from quantum.pce.solver import PCE

__all__ = ["PCE", "CorrelationLoss", "PauliCorrelations"]
