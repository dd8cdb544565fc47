"""Pictures of solutions and of how they were found. Every plot takes `ax=None`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import InputError
from co_gym.report.numbers import show_gap, show_number, show_seconds
from co_gym.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def pixels(figure: Figure) -> NDArray:
    """A figure as a picture, uint8 [height, width, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=(6, 5), layout="constrained").subplots()


def plot_solution(result: Result, ax: Axes | None = None) -> Axes:
    """The solution drawn on its instance, in the way of its problem.

    Raises:
        InputError: If there is no feasible solution.
    """
    if result.solution is None or not result.feasible:
        raise InputError(f"{result.instance.name} has no feasible solution to draw")
    axes = _axes(ax)
    registry.problem(result.instance.problem).draw(result.instance, result.solution, axes)
    axes.set_title(f"{result.instance.name}: {show_number(result.objective)} ({result.status})")
    return axes


def plot_convergence(result: Result, ax: Axes | None = None) -> Axes:
    """Incumbent and bound over time, both as step functions, and the best known objective if there is one."""
    axes = _axes(ax)
    end = max(result.runtime, 1e-3)
    for label, colour, marker in (("objective", "tab:blue", "o"), ("bound", "tab:orange", "s")):
        points = [(e.time, getattr(e, label)) for e in result.history if getattr(e, label) is not None]
        if points:
            times, values = zip(*points, (end, points[-1][1]), strict=True)
            name = "incumbent" if label == "objective" else "bound"
            axes.step(times, values, where="post", color=colour, marker=marker, markersize=3, label=name)
    if result.instance.reference is not None:
        axes.axhline(float(result.instance.reference), color="grey", linestyle=":", label="best known")
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("objective")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    gap = "" if result.gap is None else f", gap {show_gap(result.gap)}"
    axes.set_title(f"{result.method}: {show_seconds(result.runtime)}{gap}")
    return axes


def save_figure(result: Result, path: str | Path) -> None:
    """Solution and convergence side by side in one file.

    Raises:
        InputError: If the suffix is not that of a picture, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.5), layout="constrained")
    if figure.canvas.get_supported_filetypes().get(Path(path).suffix[1:].lower()) is None:
        raise InputError(f"unknown kind of picture '{Path(path).suffix}': expected .png, .pdf or .svg", path=path)
    left, right = figure.subplots(1, 2)
    plot_solution(result, left)
    plot_convergence(result, right)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=path) from error
