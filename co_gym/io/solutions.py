"""Files of solutions: TSPLIB tours, JSON, SCIP's `.sol` for mixed-integer programs, plain lists of numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import InputError
from co_gym.exact import Number, is_integral, to_integers
from co_gym.instance import Instance
from co_gym.io import load_text, save_text
from co_gym.io.text import digits, lines, number, shown
from co_gym.io.tsplib_tour import read_tour, write_tour
from co_gym.problems.mip import MIP


def write_solution(
    path: str | Path, instance: Instance, solution: NDArray, objective: Number | None = None
) -> None:
    """Writes a solution; the suffix says how.

    `.tour`: a TSPLIB tour, for the TSP. `.json`: `{"instance", "problem", "objective", "solution"}`. Any other:
    for a mip the objective and `name value` of each variable that is not 0, as SCIP does; else one number a line.

    Args:
        path: The file; overwritten.
        instance: What was solved.
        solution: [n] a member of the instance's domain.
        objective: Its objective; computed by default.

    Raises:
        InputError: If the solution is not in the domain, or the file cannot be written.
    """
    path = Path(path)
    problem = registry.problem(instance.problem)
    solution = _member(instance, solution, path)
    value = problem.objective(instance, solution) if objective is None else objective
    if path.suffix.lower() == ".tour":
        _require_tsp(instance, path)
        write_tour(path, solution, instance.name, value)
        return
    if path.suffix.lower() == ".json":
        save_text(path, _to_json(instance, solution, value))
    elif instance.problem == "mip":
        save_text(path, _to_sol(instance, solution, value))
    else:
        listed = "".join(f"{digits(entry)}\n" for entry in solution.tolist())
        save_text(path, f"# {instance.name!a}: objective {digits(value)}\n{listed}")


def read_solution(path: str | Path, instance: Instance) -> NDArray:
    """The solution of `instance` in a file.

    Besides what `write_solution` writes, a JSON file may hold a plain list or, for a mip, values by name.

    Returns:
        The numbers of the file, int64 if all are integral, else float64. Whether they are a solution, even of
        the right length, is not checked here but by the verifier.

    Raises:
        InputError: If the file is malformed; names file and line.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".tour":
        _require_tsp(instance, path)
        return read_tour(path)
    if suffix == ".json":
        return _from_json(load_text(path), instance, path)
    if instance.problem == "mip":
        return _from_sol(load_text(path), instance, path)
    return _from_list(load_text(path), path)


def _member(instance: Instance, solution: NDArray, path: Path) -> NDArray:
    domain = registry.problem(instance.problem).domain(instance)
    candidate = np.asarray(solution)
    wrong = domain.violations(candidate)
    if wrong and instance.problem == "mip" and candidate.shape == (domain.size,) and candidate.dtype.kind in "iuf":
        return candidate.astype(np.float64)  # bounds and integrality are the verifier's to judge
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise InputError(f"no solution of {instance.name}: {wrong[0]}{more}", path=path)
    return domain.cast(candidate)


def _require_tsp(instance: Instance, path: Path) -> None:
    if instance.problem != "tsp":
        raise InputError(f"a .tour file holds a solution of tsp: the instance is of {instance.problem}", path=path)


def _to_json(instance: Instance, solution: NDArray, objective: Number) -> str:
    content = {
        "instance": instance.name,
        "problem": instance.problem,
        "objective": objective,
        "solution": registry.problem(instance.problem).solution_to_json(instance, solution),
    }
    return json.dumps(content, indent=2) + "\n"


def _to_sol(instance: Instance, solution: NDArray, objective: Number) -> str:
    names = _names(instance)
    used = np.flatnonzero(solution).tolist()
    return f"objective value: {digits(objective)}\n" + "".join(
        f"{names[i]} {digits(float(solution[i]))}\n" for i in used
    )


def _names(instance: Instance) -> list[str]:
    program = MIP().program(instance)
    return [program.variable_name(i) for i in range(program.num_variables)]


def _from_sol(text: str, instance: Instance, path: Path) -> NDArray:
    index = {name: i for i, name in enumerate(_names(instance))}
    solution = np.zeros(len(index))
    seen: set[str] = set()
    for line, content in lines(text):
        if content.startswith(("#", "objective value:", "solution status:")):
            continue
        words = content.split("(obj:")[0].split()
        if len(words) != 2:
            raise InputError(f"expected 'variable value', found {shown(content)}", path=path, line=line)
        if words[0] not in index or words[0] in seen:
            what = "unknown variable" if words[0] not in index else "a second value of variable"
            raise InputError(f"{what} {shown(words[0])}", path=path, line=line)
        seen.add(words[0])
        solution[index[words[0]]] = number(words[1], f"value of {shown(words[0])}", path, line)
    return solution


def _from_list(text: str, path: Path) -> NDArray:
    values = []
    for line, content in lines(text):
        words = content.split("#")[0].split()
        if len(words) > 1:
            raise InputError(f"expected one number a line, found {shown(content)}", path=path, line=line)
        values += [number(word, "solution", path, line) for word in words]
    return _array(values)


def _array(values: list[int | float]) -> NDArray:
    array = to_integers(np.array(values, dtype=np.float64))
    return array.astype(np.int64) if is_integral(array) else array


def _from_json(text: str, instance: Instance, path: Path) -> NDArray:
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InputError(f"no JSON: {error.msg}", path=path, line=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON of finite numbers: {error}", path=path) from error
    if isinstance(content, dict) and "solution" in content and not isinstance(content["solution"], int | float):
        _require_same_problem(content, instance, path)
        content = content["solution"]
    if isinstance(content, dict) and instance.problem == "mip":
        return _from_names(content, instance, path)
    if not isinstance(content, list) or not all(_is_number(entry) for entry in content):
        expected = "a list of numbers" + (", or numbers by name" if instance.problem == "mip" else "")
        raise InputError(f"the solution is no list of finite numbers: expected {expected}", path=path)
    return _array(content)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"found {name}")


def _is_number(entry: Any) -> bool:
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        return False
    return abs(entry) < 2**63 if isinstance(entry, int) else bool(np.isfinite(entry))


def _require_same_problem(content: dict[str, Any], instance: Instance, path: Path) -> None:
    stated = content.get("problem", instance.problem)
    if stated != instance.problem:
        raise InputError(f"a solution of {shown(str(stated))}: expected one of {instance.problem}", path=path)


def _from_names(content: dict[str, Any], instance: Instance, path: Path) -> NDArray:
    index = {name: i for i, name in enumerate(_names(instance))}
    solution = np.zeros(len(index))
    for name, value in content.items():
        if name not in index:
            raise InputError(f"unknown variable {shown(name)}", path=path)
        if not _is_number(value):
            raise InputError(f"value of {shown(name)}: expected a finite number", path=path)
        solution[index[name]] = value
    return solution
