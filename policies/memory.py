"""How the process gets its memory."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGE = 1 << 30


def keep_freed_memory() -> bool:
    """Has freed blocks of up to 1 GB kept for reuse instead of returned to the system; for training on the CPU.

    The GNU C library maps each larger block anew, and the first touch of each of its pages costs more than the
    arithmetic of an activation function on it: about a fifth of a training step. Other libraries are left alone.

    Returns:
        Whether the setting was made.
    """
    try:
        library = ctypes.CDLL("libc.so.6")
        return bool(library.mallopt(TRIM_THRESHOLD, LARGE)) and bool(library.mallopt(MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError):
        return False
