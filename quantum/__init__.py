"""Quantum optimization of the problems of `co_gym`: encodings, circuits, simulators and backends.

A program becomes a `programs.BinaryProgram`, an encoding makes an Ising Hamiltonian of it, an ansatz a circuit of
that, a backend runs the circuit, and the samples are decoded and verified like any other answer.
"""
