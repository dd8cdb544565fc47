"""Predicted values of binary variables at work in SCIP: whatever they are, the solve stays exact."""
