"""Pictures on a text terminal: a plot's dark pixels as Braille dots."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from co_gym.report.plots import pixels, plot_solution
from co_gym.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bit of each of the 4 x 2 dots of a Braille character (U+2800 + bits)."""


def braille(dark: NDArray) -> str:
    """Lines of Braille characters, one for each 4 x 2 block of `dark`, bool [rows, columns]."""
    rows, columns = (-(-dark.shape[0] // 4), -(-dark.shape[1] // 2))
    padded = np.zeros((4 * rows, 2 * columns), dtype=bool)
    padded[: dark.shape[0], : dark.shape[1]] = dark
    blocks = padded.reshape(rows, 4, columns, 2).transpose(0, 2, 1, 3)
    codes = 0x2800 + (blocks * DOTS).sum(axis=(2, 3))
    return "\n".join("".join(map(chr, line)) for line in codes)


def draw_as_text(draw: Callable[[Axes], object], width: int = 72, height: int = 24) -> str:
    """What `draw` puts on axes, as text of `height` lines of `width` characters."""
    from matplotlib.figure import Figure

    scale = 4
    figure = Figure(figsize=(2 * width * scale / 100, 4 * height * scale / 100), dpi=100)
    draw(figure.add_axes((0.02, 0.02, 0.96, 0.96)))
    brightness = pixels(figure).mean(axis=2)
    blocks = brightness[: 4 * height * scale, : 2 * width * scale].reshape(4 * height, scale, 2 * width, scale)
    return braille(blocks.min(axis=(1, 3)) < 170)


def draw_in_terminal(result: Result, width: int = 72, height: int = 24) -> str:
    """The picture of a solution as text of `height` lines of `width` characters.

    Raises:
        InputError: If there is no feasible solution.
    """
    return draw_as_text(lambda axes: plot_solution(result, axes).set_title(""), width, height)
