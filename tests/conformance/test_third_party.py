"""A problem, a format and a solver of another package, installed beside co-gym and never imported by it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = '''
"""Number partitioning: split numbers into two sets of sums as equal as possible."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy import sparse

from co_gym import registry
from co_gym.domains import Binary
from co_gym.errors import InputError
from co_gym.exact import dot, total
from co_gym.formulation import Formulation, MixedIntegerProgram, round_binary
from co_gym.instance import Key
from co_gym.problems.base import Problem
from co_gym.solvers.base import Answer


def uniform(rng, size, largest=100):
    return {"numbers": rng.integers(1, largest + 1, size=size)}


class Partition(Problem):
    name = "partition"
    sense: ClassVar = "minimize"
    keys = (Key("numbers", ("n",), "what is split", kind="integer", minimum=0),)
    distributions = {"uniform": uniform}

    def size(self, instance):
        return int(instance["numbers"].shape[0])

    def domain(self, instance):
        return Binary(self.size(instance), noun="number")

    def objective(self, instance, solution):
        return abs(total(instance["numbers"]) - 2 * dot(instance["numbers"], solution))

    def violations(self, instance, solution):
        return []

    def formulate(self, instance, form=None):
        self.form(form)
        a, n = instance["numbers"].astype(float), self.size(instance)
        one = np.array([[1.0]])
        program = MixedIntegerProgram(
            sense="minimize",
            c=np.append(np.zeros(n), 1.0),
            A=sparse.csr_matrix(np.block([[2 * a[None], -one], [2 * a[None], one]])),
            row_lower=np.array([-np.inf, a.sum()]),
            row_upper=np.array([a.sum(), np.inf]),
            lower=np.zeros(n + 1),
            upper=np.append(np.ones(n), np.inf),
            integer=np.ones(n + 1, dtype=bool),
        )
        encode = lambda s: np.append(s, self.objective(instance, s)).astype(float)
        return Formulation(program, encode, lambda values: round_binary(values[:n]))


class PartitionFile:
    name = "partition"
    problems = frozenset({"partition"})
    suffixes = (".partition",)
    summary = "numbers to partition, one a line"

    def confidence(self, text, suffix):
        return 1.0 if suffix in self.suffixes else 0.0

    def parse(self, text, path: Path):
        try:
            numbers = [int(word) for word in text.split()]
        except ValueError as error:
            raise InputError(str(error), path=path) from error
        return [registry.problem("partition").instance({"numbers": numbers}, name=path.stem, source=str(path))]

    def format(self, instances):
        return "".join(f"{value}\\n" for value in instances[0]["numbers"].tolist())


class Alternating:
    name = "alternating"
    role = "baseline"
    problems = frozenset({"partition"})
    summary = "every other number"

    def solve(self, instance, *, options, monitor, start=None):
        problem = registry.problem("partition")
        for solution in (np.arange(problem.size(instance)) % 2, start):
            if solution is not None:
                monitor.incumbent(solution, problem.objective(instance, solution))
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective)
'''
ENTRY_POINTS = """[co_gym.problems]
partition = partitioning:Partition
[co_gym.formats]
partition = partitioning:PartitionFile
[co_gym.solvers]
alternating = partitioning:Alternating
"""
NUMBERS = [31, 10, 20, 19, 4, 3, 6, 55]


def install(folder: Path, package: str, entry_points: str, module: str | None) -> None:
    """What pip leaves behind: the module and its metadata."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    if module is not None:
        (folder / f"{package}.py").write_text(module)


def python(folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """Runs Python with what is installed in `folder`."""
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    command = [sys.executable, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder, "partitioning", ENTRY_POINTS, MODULE)
    (folder / "eight.partition").write_text("\n".join(map(str, NUMBERS)))
    return folder


def test_its_problem_is_solved_by_the_exact_solver_that_was_there_before(site: Path) -> None:
    ran = python(site, "-m", "co_gym.cli", "solve", site / "eight.partition", "--json")
    assert ran.returncode == 0, ran.stderr
    (found,) = [json.loads(line) for line in ran.stdout.splitlines()]
    signs = itertools.product((-1, 1), repeat=len(NUMBERS))
    best = min(abs(sum(s * v for s, v in zip(sign, NUMBERS, strict=True))) for sign in signs)
    assert (found["instance"], found["problem"], found["method"]) == ("eight", "partition", "scip")
    assert (found["status"], found["objective"], found["bound"]) == ("optimal", best, best)
    chosen = sum(v for v, x in zip(NUMBERS, found["solution"], strict=True) if x)
    assert abs(sum(NUMBERS) - 2 * chosen) == best
    assert ran.stderr == ""


def test_its_solver_works_in_a_chain(site: Path) -> None:
    args = ("--method", "alternating+scip", "--json")
    ran = python(site, "-m", "co_gym.cli", "solve", site / "eight.partition", *args)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["status"], found["method"]) == ("optimal", "alternating+scip")
    assert set(found["details"]) == {"alternating", "scip", "seed"}


def test_it_is_listed(site: Path) -> None:
    ran = python(site, "-m", "co_gym.cli", "solvers")
    assert ran.returncode == 0
    assert all(word in ran.stdout for word in ("partition", "alternating", ".partition", "every other number"))


def test_it_is_generated_and_drawn(site: Path, tmp_path: Path) -> None:
    ran = python(site, "-m", "co_gym.cli", "generate", "partition", "--size", 12, "--output", tmp_path)
    assert ran.returncode == 0, ran.stderr
    (file,) = tmp_path.glob("*.partition")
    ran = python(site, "-m", "co_gym.cli", "solve", file, "--show", "--plot", tmp_path / "split.png")
    assert ran.returncode == 0, ran.stderr
    assert "optimal" in ran.stdout
    assert (tmp_path / "split.png").read_bytes().startswith(b"\x89PNG")


def test_it_passes_the_checks(site: Path) -> None:
    program = """
from co_gym import registry
from co_gym.testing import assert_problem, assert_solver
assert_problem(registry.problem("partition"))
assert_solver(registry.solver("alternating", "partition"))
assert_solver(registry.solver("scip", "partition"), registry.problem("partition").generate(7, count=3))
"""
    ran = python(site, "-W", "error::UserWarning", "-c", program)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def broken_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    entry_points = "".join(
        f"[co_gym.{kind}]\nbroken = broken:Thing\n" for kind in ("problems", "formats", "solvers")
    )
    install(folder, "broken", entry_points, "import no_such_dependency\n")
    return folder


def test_a_broken_package_breaks_nothing_else(broken_site: Path, data: Path) -> None:
    ran = python(broken_site, "-m", "co_gym.cli", "solve", data / "p07.kp", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["objective"] == 1458
    assert "entry 'broken' (broken:Thing) cannot be loaded" in ran.stderr
    assert "no_such_dependency" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_doctor_names_a_broken_package(broken_site: Path) -> None:
    ran = python(broken_site, "-m", "co_gym.cli", "doctor")
    assert ran.returncode == 1
    text = " ".join(ran.stdout.split())
    for kind in ("problems", "formats", "solvers"):
        assert f"problem: {kind} entry 'broken' (broken:Thing) cannot be loaded" in text


def test_asking_for_a_broken_problem_is_one_message(broken_site: Path, tmp_path: Path) -> None:
    ran = python(broken_site, "-m", "co_gym.cli", "generate", "broken", "--size", 5, "--output", tmp_path)
    assert ran.returncode == 2
    assert "co-gym: problem 'broken' (broken:Thing) cannot be loaded" in ran.stderr
    assert "Traceback" not in ran.stderr
