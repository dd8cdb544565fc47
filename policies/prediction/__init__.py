"""Predicting good values of the binary variables of a mixed-integer program."""
