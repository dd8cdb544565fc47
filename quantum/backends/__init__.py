"""Backends: what runs circuits, from our simulator to devices, behind one interface and found by name."""

from quantum.backends.base import Backend, Compiled, Counts, backend

__all__ = ["Backend", "Compiled", "Counts", "backend"]
