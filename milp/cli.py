"""`co-gym distributions`."""

from __future__ import annotations


def distributions(family: str | None = None) -> int:
    """List the distributions of mixed-integer programs that `co-gym generate milp/NAME` writes.

    Args:
        family: Only those of this family, such as set-cover.
    """
    from rich.console import Console
    from rich.table import Table

    from co_gym.errors import unknown_name
    from milp.distributions.catalogue import FAMILIES, distribution

    if family is not None and family not in FAMILIES:
        raise unknown_name("family", family, list(FAMILIES))
    table = Table(title="Distributions, with the sizes of a first instance")
    table.add_column("name", no_wrap=True)
    table.add_column("variables", justify="right")
    table.add_column("rows", justify="right")
    table.add_column("source")
    for name in FAMILIES if family is None else [family]:
        for level in FAMILIES[name].levels:
            program = distribution(f"{name}-{level}").program("train", 0)
            sizes = f"{program.num_variables:,}", f"{program.num_rows:,}"
            table.add_row(f"{name}-{level}", *sizes, FAMILIES[name].source)
        table.add_section()
    Console().print(table)
    return 0
