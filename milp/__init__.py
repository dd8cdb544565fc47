"""SCIP as a solver of the problems of `co_gym`, and plug-ins for it."""
