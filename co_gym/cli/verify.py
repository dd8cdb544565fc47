"""`co-gym verify`."""

from __future__ import annotations


def verify(file: str, solution: str, format: str | None = None) -> int:
    """Check a solution file against an instance file, trusting neither.

    Args:
        file: The instance; a file that holds one problem.
        solution: A .tour, .sol or .json file, or one number a line.
        format: Name of the instance file's format, if it is not recognised.
    """
    from co_gym.errors import InputError
    from co_gym.io import read
    from co_gym.io.solutions import read_solution
    from co_gym.verifier import verify as check_solution

    instances = read(file, format=format)
    if len(instances) != 1:
        raise InputError(f"holds {len(instances)} problems: expected one", path=file)
    check = check_solution(instances[0], read_solution(solution, instances[0]))
    print(f"feasible: {'yes' if check.feasible else 'no'}")
    if check.objective is not None:
        print(f"objective: {check.objective}")
    for violation in check.violations:
        print(f"violated: {violation}")
    return 0 if check.feasible else 1
