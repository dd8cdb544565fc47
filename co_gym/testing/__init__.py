"""Checks for the tests of a new problem or solver: `assert_problem`, `assert_solver` and `brute_force`;
for those of environments: `assert_same`.

Each check fails with an `AssertionError` that says what is wrong. A package with a problem of its own needs no
more than `assert_problem(MyProblem())` in its tests.
"""

from co_gym.testing.common import assert_same, brute_force
from co_gym.testing.problems import assert_problem
from co_gym.testing.solvers import assert_solver

__all__ = ["assert_problem", "assert_same", "assert_solver", "brute_force"]
