from __future__ import annotations

import ctypes.util

import pytest
from pyscipopt import Model

from co_gym.errors import SolverError
from milp import native


def test_the_library_is_found_once_and_is_that_of_pyscipopt() -> None:
    library = native.library()
    assert native.library() is library
    assert library.addresses.shape == (len(native.CALLBACKS),)
    assert (library.addresses != 0).all()
    model = Model()
    assert library.SCIPinfinity(native.pointer(model)) == model.infinity()
    assert library.SCIPepsilon(native.pointer(model)) == model.epsilon()
    assert library.SCIPfeastol(native.pointer(model)) == model.feastol()


def test_unknown_functions_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="SCIPnothing"):
        _ = native.library().SCIPnothing


def test_a_library_without_the_functions_is_refused() -> None:
    with pytest.raises(native.MissingSymbols, match=r"libc\S* lacks SCIPgetLPI, "):
        native.Library(ctypes.util.find_library("c"))


def test_no_library_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: str | None) -> None:
        raise OSError(f"no {place}")

    monkeypatch.setattr(native, "Library", refuse)
    native.library.cache_clear()
    try:
        with pytest.raises(native.MissingSymbols, match=r"cannot be called: .*no None"):
            native.library()
    finally:
        native.library.cache_clear()


def test_return_codes() -> None:
    native.check(1, "nothing")
    with pytest.raises(SolverError, match="SCIP refused its LP with code -6"):
        native.check(-6, "its LP")
