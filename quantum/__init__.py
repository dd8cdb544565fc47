"""Quantum optimization of the problems of `co_gym`: encodings, circuits, simulators and backends."""
