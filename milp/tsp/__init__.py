"""Exact solver for the symmetric travelling salesman problem."""

from milp.tsp.solver import TourProof, solve_tour

__all__ = ["TourProof", "solve_tour"]
