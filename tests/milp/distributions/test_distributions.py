from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from co_gym import registry
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.problems.mip import MIP
from co_gym.relaxation import solve_relaxation
from milp.distributions import SPLITS, distribution, names

TINY = [name for name in names() if name.endswith("-tiny")]
PUBLISHED = {  # columns and, where they do not vary, rows
    "set-cover-easy": (1000, 500), "set-cover-medium": (1000, 1000), "set-cover-hard": (1000, 2000),
    "auction-easy": (500, None), "auction-medium": (1000, None), "auction-hard": (1500, None),
    "independent-set-easy": (500, None), "independent-set-medium": (1000, None),
    "independent-set-hard": (1500, None),
    "facility-easy": (10_100, 10_201), "facility-medium": (20_100, 20_301), "facility-hard": (40_100, 40_501),
    "item-placement-medium": (1083, 195), "multiknapsack-easy": (100, 5), "vertex-cover-hard": (2000, 135_100),
}  # fmt: skip


def data(program: MixedIntegerProgram) -> tuple[bytes, ...]:
    arrays = (program.c, program.A.data, program.A.indices, program.A.indptr, program.row_lower, program.row_upper)
    return tuple(array.tobytes() for array in arrays)


@pytest.mark.parametrize("name", TINY)
def test_instances_depend_on_name_split_and_number_alone(name: str) -> None:
    d = distribution(name)
    forward = [data(d.program(split, i)) for split in SPLITS for i in (0, 1, 17)]
    backward = [data(distribution(name).program(split, i)) for split in SPLITS[::-1] for i in (17, 1, 0)]
    assert forward == backward[::-1]
    assert len(set(forward)) == len(forward)


def test_instances_are_the_same_in_another_process() -> None:
    code = (
        "from milp.distributions import distribution as d;"
        "print(*[d(n).program('test', 3).c.sum() for n in ('auction-tiny', 'facility-tiny')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = [distribution(n).program("test", 3).c.sum() for n in ("auction-tiny", "facility-tiny")]
    assert [float(word) for word in done.stdout.split()] == expected


def test_a_known_instance_stays_as_it_is() -> None:
    costs = distribution("set-cover-easy").program("test", 0).c
    assert costs[:8].astype(int).tolist() == [33, 25, 80, 59, 40, 22, 76, 55]


@pytest.mark.parametrize("name", TINY)
def test_tiny_instances_are_solved(name: str, optimum: Callable) -> None:
    instance = distribution(name).instance("validation", 2)
    assert (instance.problem, instance.name) == ("mip", f"{name}-validation-0002")
    program = MIP().program(instance)
    value, x = optimum(program)
    assert MIP().violations(instance, np.where(program.integer, np.round(x), x)) == []
    bound = solve_relaxation(program).bound
    assert bound is not None
    assert (value - bound) * (1 if program.sense == "minimize" else -1) >= -1e-6 * abs(value)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name: str) -> None:
    program = distribution(name).program("train", 1)
    columns, rows = PUBLISHED[name]
    assert program.num_variables == columns
    assert rows in (None, program.num_rows)
    assert program.A.has_canonical_format
    assert (program.A.data != 0).all()
    assert np.diff(program.A.indptr).all()


def test_names_and_descriptions() -> None:
    assert len(set(names())) == len(names())
    for name in names():
        d = distribution(name)
        assert (d.name, f"{d.family}-{d.level}", d.problem) == (name, name, "mip")
        assert d.summary.endswith(")")
        assert [d.count(split) for split in SPLITS] == [10_000, 2_000, 100]
    assert registry.distribution("milp", "auction-easy").name == "auction-easy"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distribution("set-cover-eazy"), "did you mean set-cover-easy"),
        (lambda: distribution("no/such"), "no/such: expected a folder"),
        (lambda: distribution("auction-tiny").count("tset"), "unknown split 'tset'.*did you mean test"),
        (lambda: distribution("auction-tiny").program("test", 100), "no test instance 100: the split holds 100"),
        (lambda: distribution("auction-tiny").instance("test", -1), "no test instance -1"),
        (lambda: registry.distribution("mlip", "auction-tiny"), "did you mean milp"),
    ],
)
def test_what_does_not_exist(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
