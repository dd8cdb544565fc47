"""Solvers of the problems: heuristics and their kernels, chains of methods, what a solver is."""
