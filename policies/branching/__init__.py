"""Branching rules that imitate strong branching: the format of samples, networks, training data."""
