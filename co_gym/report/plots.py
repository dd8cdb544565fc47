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


def plot_tuning(result: Result, ax: Axes | None = None) -> Axes:
    """What a solver minimized over the parameters of its circuit, by evaluation: each value, and the least so far.

    Raises:
        InputError: If the solver tuned nothing.
    """
    values = result.details.get("tuning")
    if not values:
        raise InputError(f"{result.method} has tuned nothing that could be drawn")
    axes = _axes(ax)
    numbers = np.arange(1, len(values) + 1)
    axes.plot(numbers, values, ".", color="tab:blue", alpha=0.5, label="evaluation")
    axes.step(numbers, np.minimum.accumulate(values), where="post", color="tab:orange", label="least so far")
    axes.set_xlabel("evaluations")
    axes.set_ylabel("tuned objective")
    axes.legend()
    axes.set_title(f"{result.method}: tuning of {result.details.get('parameters', 'the')} parameters")
    return axes


def plot_distribution(result: Result, ax: Axes | None = None) -> Axes:
    """Objectives of feasible samples and how often they were drawn, with the optimum if it is known.

    Raises:
        InputError: If the solver drew no feasible samples.
    """
    pairs = result.details.get("distribution")
    if not pairs:
        raise InputError(f"{result.method} has drawn no feasible samples that could be shown")
    axes = _axes(ax)
    values, shares = np.array(pairs).T
    axes.vlines(values, 0.0, 100.0 * shares, color="tab:blue", linewidth=2)
    optimum = result.details.get("optimum")
    if optimum is not None:
        axes.axvline(float(optimum), color="grey", linestyle=":", label="optimum")
        axes.legend()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("objective")
    axes.set_ylabel("share of samples, %")
    axes.set_title(f"feasible: {100 * result.details.get('feasible_fraction', shares.sum()):.3g} %")
    return axes


EXTRA = {"tuning": plot_tuning, "distribution": plot_distribution}
"""Further pictures, by the key of the solver's details that they are drawn from."""


def save_figure(result: Result, path: str | Path) -> None:
    """Solution and convergence side by side in one file, and below what else the solver has to show.

    Raises:
        InputError: If the suffix is not that of a picture, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    more = [draw for key, draw in EXTRA.items() if result.details.get(key)]
    figure = Figure(figsize=(12, 5.5 if not more else 10.5), layout="constrained")
    if figure.canvas.get_supported_filetypes().get(Path(path).suffix[1:].lower()) is None:
        raise InputError(f"unknown kind of picture '{Path(path).suffix}': expected .png, .pdf or .svg", path=path)
    panels = figure.subplots(2 if more else 1, 2, squeeze=False).ravel()
    for draw, axes in zip([plot_solution, plot_convergence, *more], panels, strict=False):
        draw(result, axes)
    for axes in panels[2 + len(more) :]:
        axes.set_visible(False)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=path) from error
