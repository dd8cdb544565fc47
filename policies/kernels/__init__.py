"""Compiled loops of the networks, for the CPU."""
