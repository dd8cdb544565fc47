"""Gymnasium environments over SCIP: each decision of a solve is a step. `import co_gym` registers their ids."""
