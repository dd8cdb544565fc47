"""Where the programs of an environment's episodes come from: a distribution, files, or programs themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from co_gym import registry
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance

Instances = str | Path | MixedIntegerProgram | Instance | Sequence[str | Path | MixedIntegerProgram | Instance]
"""What the keyword `instances` takes: a distribution's name, a folder, a file, a program, or several of these."""

PROBED = 8
"""How many instances are looked at for the sizes of observations."""


@dataclass(frozen=True)
class Programs:
    """Programs by number.

    Attributes:
        count: How many there are.
        load: The program of a number from 0 to count - 1; may be called in any thread.
    """

    count: int
    load: Callable[[int], MixedIntegerProgram]

    def probe(self) -> Iterator[MixedIntegerProgram]:
        """Some programs, the same every time."""
        return (self.load(index) for index in range(min(self.count, PROBED)))


def programs(instances: Instances, split: str = "train") -> Programs:
    """The programs that a keyword `instances` names.

    Args:
        instances: See `Instances`.
        split: Of a distribution or folder, see `milp.distributions`.

    Raises:
        InputError: If there is no such distribution, file or split, or an instance is no linear program.
    """
    if isinstance(instances, str | Path):
        is_file = Path(instances).is_file()
        return _files([Path(instances)]) if is_file else _distribution(str(instances), split)
    given = [instances] if isinstance(instances, MixedIntegerProgram | Instance) else list(instances)
    if not given:
        raise InputError("an environment needs at least one instance")
    if all(isinstance(item, str | Path) for item in given):
        return _files([Path(str(item)) for item in given])
    ready = [program for item in given for program in _ready(item)]
    return Programs(len(ready), ready.__getitem__)


def _distribution(name: str, split: str) -> Programs:
    from milp.distributions import distribution

    found = distribution(name)
    if not found.count(split):
        raise InputError(f"{name} has no instances in its split '{split}'")
    return Programs(found.count(split), lambda index: found.program(split, index))


def _files(paths: Sequence[Path]) -> Programs:
    for path in paths:
        if not path.is_file():
            raise InputError("no such file", path=path)

    @lru_cache(maxsize=32)
    def load(index: int) -> MixedIntegerProgram:
        found = _ready(paths[index])
        if len(found) != 1:
            raise InputError(f"{len(found)} instances: expected one", path=paths[index])
        return found[0]

    return Programs(len(paths), load)


def _ready(item: str | Path | MixedIntegerProgram | Instance) -> list[MixedIntegerProgram]:
    """An item's programs: several if it is a file that holds several."""
    from co_gym.io import read

    if isinstance(item, MixedIntegerProgram):
        return [item]
    instances = [item] if isinstance(item, Instance) else read(item)
    return [registry.problem(instance.problem).formulate(instance).program for instance in instances]
