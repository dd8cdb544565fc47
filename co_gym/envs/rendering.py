"""Episodes as pictures and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from co_gym.envs.episodes import Episodes
    from co_gym.instance import Instance


def render(episodes: Episodes, row: int, mode: str) -> Any:
    """What one row looks like now: uint8 [height, width, 3] for `"rgb_array"`, a text for `"ansi"`."""
    if mode == "ansi":
        from co_gym.report.terminal import draw_as_text

        return f"{describe(episodes, row)}\n{draw_as_text(lambda axes: _draw(episodes, row, axes), 50, 20)}\n"
    from matplotlib.figure import Figure

    from co_gym.report.plots import pixels

    figure = Figure(figsize=(5, 5), dpi=80, layout="constrained")
    axes = figure.subplots()
    _draw(episodes, row, axes)
    axes.set_title(describe(episodes, row), fontsize=9)
    return pixels(figure)


def describe(episodes: Episodes, row: int) -> str:
    """One line: problem, size, steps, objective so far."""
    state = episodes.state
    value = float(episodes.objectives()[row])
    ended = ", done" if bool(state.done[row]) else ""
    return f"{episodes.entry.problem}, {int(state.steps[row])} steps, objective {value:.6g}{ended}"


def _draw(episodes: Episodes, row: int, axes: Axes) -> None:
    instance, solution = _snapshot(episodes, row)
    if episodes.entry.is_path and not bool(episodes.state.done[row]):
        _draw_path(instance["coordinates"], solution[: int(episodes.state.steps[row])], axes)
    else:
        episodes.problem.draw(instance, solution, axes)


def _draw_path(points: NDArray, path: NDArray, axes: Axes) -> None:
    axes.plot(*points[path].T, "-", color="tab:blue", linewidth=1)
    axes.plot(*points.T, "o", color="black", markersize=3)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_axis_off()


def _snapshot(episodes: Episodes, row: int) -> tuple[Instance, NDArray]:
    from co_gym.envs.batch import unstack

    state = episodes.state
    data = {key: value[row : row + 1] for key, value in state.data.items()}
    instance = unstack(episodes.entry.problem, data)[0]
    return instance, episodes.environment.solution(state)[row].numpy()
