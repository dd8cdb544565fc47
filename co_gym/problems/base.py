"""What a problem is: its data, its solutions, its objective, its constraints and its formulations."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from co_gym.domains import Domain
from co_gym.errors import InputError, unknown_name
from co_gym.exact import Number
from co_gym.formulation import Formulation
from co_gym.instance import Instance, Key

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Sense = Literal["minimize", "maximize"]
Distribution = Callable[..., dict[str, NDArray]]
"""`f(rng, size, **options) -> data`: the arrays of one random instance.

A distribution with a keyword `count` also draws that many at once, each array with a leading axis of that
length; this is how environments get theirs.
"""


def leading(count: int | None) -> tuple[int, ...]:
    """The leading axis of what a distribution draws: none for one instance."""
    return () if count is None else (count,)


class Problem(ABC):
    """One combinatorial problem, from which environments, solvers, encodings and checks follow.

    A subclass sets the class attributes and implements `size`, `domain`, `objective`, `violations` and
    `formulate`; it is registered by one line in the entry-point group `co_gym.problems`.

    Attributes:
        name: Name on the command line and in results.
        sense: Whether the objective is minimized or maximized.
        keys: The arrays of an instance.
        distributions: Random generators by name; the first is the default.
        forms: Names of the formulations; the first is the default.
    """

    name: ClassVar[str]
    sense: ClassVar[Sense]
    keys: ClassVar[tuple[Key, ...]]
    distributions: ClassVar[Mapping[str, Distribution]] = {}
    forms: ClassVar[tuple[str, ...]] = ("default",)

    @abstractmethod
    def size(self, instance: Instance) -> int:
        """The number that says how large an instance is: cities, items, nodes, variables."""

    @abstractmethod
    def domain(self, instance: Instance) -> Domain:
        """The kind of object that a solution of `instance` is."""

    @abstractmethod
    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Objective of a member of the domain: an exact int where the data is integral, else a float."""

    @abstractmethod
    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """Every constraint that a member of the domain violates, by name and amount; empty if feasible."""

    @abstractmethod
    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """The instance as a mixed-integer program, with the way there and back for solutions."""

    def validate(self, instance: Instance) -> None:
        """Checks beyond shapes, types and ranges.

        Raises:
            InputError: If the data contradicts itself.
        """

    def instance(
        self,
        data: Mapping[str, Any],
        *,
        name: str = "",
        reference: Number | None = None,
        source: str | None = None,
    ) -> Instance:
        """A validated instance.

        Args:
            data: Arrays (or nested lists) by key.
            name: Short name for tables.
            reference: Best known objective.
            source: Where the data comes from.

        Raises:
            InputError: If a key is missing or unknown, or an array is not as the problem's `keys` say.
        """
        known = {key.name: key for key in self.keys}
        for key_name in data:
            if key_name not in known:
                raise unknown_name(f"key of {self.name}", key_name, list(known))
        missing = [k.name for k in self.keys if not k.optional and k.name not in data]
        if missing:
            raise InputError(f"an instance of {self.name} needs {', '.join(missing)}")
        sizes: dict[str, int] = {}
        arrays = {k.name: k.array(data[k.name], sizes) for k in self.keys if k.name in data}
        made = Instance(self.name, arrays, name=name or self.name, reference=reference, source=source)
        self.validate(made)
        return made

    def generate(
        self,
        size: int,
        *,
        count: int = 1,
        distribution: str | None = None,
        seed: int = 0,
        **options: Any,
    ) -> list[Instance]:
        """Random instances; instance i depends on `(seed, i)` alone, not on `count`.

        Args:
            size: Cities, items or nodes.
            count: How many instances.
            distribution: A key of `distributions`; the first by default.
            seed: Seed, 0 or above.
            **options: Parameters of the distribution.

        Raises:
            InputError: If the distribution, an option or a number is out of range.
        """
        label, draw = self.distribution(distribution, options)
        if size < 1 or count < 0 or seed < 0:
            raise InputError(f"size {size}, count {count}, seed {seed}: expected size >= 1, count >= 0, seed >= 0")
        try:
            return [
                self.instance(
                    draw(np.random.default_rng((seed, index)), size, **options),
                    name=f"{self.name}-{label}-{size}-{seed}-{index}",
                    source=f"{label}(size={size}, seed={seed}, index={index})",
                )
                for index in range(count)
            ]
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise InputError(f"distribution '{label}' of {self.name} with {options}: {error}") from error

    def distribution(self, name: str | None, options: Mapping[str, Any]) -> tuple[str, Distribution]:
        """The name and the function of a distribution, the first one for None.

        Raises:
            InputError: If there is none of that name, or it has no such option.
        """
        if not self.distributions:
            raise InputError(f"{self.name} has no random generator")
        label = name or next(iter(self.distributions))
        if label not in self.distributions:
            raise unknown_name(f"distribution of {self.name}", label, list(self.distributions))
        draw = self.distributions[label]
        known = [p for p in list(inspect.signature(draw).parameters)[2:] if p != "count"]
        for option in options:
            if option not in known:
                raise unknown_name(f"option of distribution '{label}'", option, known or ["(none)"])
        return label, draw

    def solution_to_json(self, instance: Instance, solution: NDArray) -> Any:
        """`solution` as plain JSON: the list of its entries, unless a problem has a better form."""
        return solution.tolist()

    def draw(self, instance: Instance, solution: NDArray, ax: Axes) -> None:
        """Draws a feasible solution; bars of its entries, unless a problem has a better picture."""
        ax.bar(range(len(solution)), solution, width=1.0)
        ax.set_xlabel("entry")
        ax.set_ylabel("value")

    def sense_of(self, instance: Instance) -> Sense:
        """The sense of one instance: the problem's own, unless each instance states its own."""
        return self.sense

    def form(self, form: str | None) -> str:
        """The name of a formulation, the default one for None.

        Raises:
            InputError: If the problem has no such formulation.
        """
        if form is not None and form not in self.forms:
            raise unknown_name(f"formulation of {self.name}", form, self.forms)
        return form or self.forms[0]
