"""Calling C functions by their addresses from compiled loops: some nanoseconds a call, and cacheable.

A numba function that refers to a ctypes function is compiled anew in each process, since the address changes. Here
the address is an argument.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_POINTER = ir.IntType(8).as_pointer()
_INT, _LONG, _REAL = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_TYPES = {types.int32: _INT, types.int64: _LONG, types.float64: _REAL}


def _call(builder: Any, result: Any, kinds: list[Any], address: Any, values: list[Any]) -> Any:
    """Emits a call of the function at `address`; arguments of kind pointer come as 64-bit integers."""
    function = builder.inttoptr(address, ir.FunctionType(_TYPES[result], kinds).as_pointer())
    given = [
        builder.inttoptr(v, _POINTER) if k is _POINTER else builder.trunc(v, _INT) if k is _INT else v
        for k, v in zip(kinds, values, strict=True)
    ]
    return builder.call(function, given)


def _unary(result: Any) -> Any:
    @intrinsic
    def call(typingctx: Any, address: Any, first: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _call(builder, result, [_POINTER], arguments[0], list(arguments[1:]))

        return result(types.int64, types.int64), emit

    return call


def _binary(result: Any, second_kind: Any) -> Any:
    @intrinsic
    def call(typingctx: Any, address: Any, first: Any, second: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _call(builder, result, [_POINTER, second_kind], arguments[0], list(arguments[1:]))

        return result(types.int64, types.int64, types.int64), emit

    return call


def _real_of_pointers_and_int(typingctx: Any, address: Any, first: Any, second: Any, third: Any) -> Any:
    """A call of double f(void*, void*, int)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, types.float64, [_POINTER, _POINTER, _INT], arguments[0], list(arguments[1:]))

    return types.float64(types.int64, types.int64, types.int64, types.int64), emit


def _real_of_pointers_and_real(typingctx: Any, address: Any, first: Any, second: Any, third: Any) -> Any:
    """A call of double f(void*, void*, double)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, types.float64, [_POINTER, _POINTER, _REAL], arguments[0], list(arguments[1:]))

    return types.float64(types.int64, types.int64, types.int64, types.float64), emit


def _load_pointer(typingctx: Any, address: Any, index: Any) -> Any:
    """The pointer at a position of a C array of pointers, as int64."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = builder.inttoptr(arguments[0], _LONG.as_pointer())
        return builder.load(builder.gep(array, [arguments[1]], inbounds=True))

    return types.int64(types.int64, types.int64), emit


def _load_real(typingctx: Any, address: Any, index: Any) -> Any:
    """The double at a position of a C array."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = builder.inttoptr(arguments[0], _REAL.as_pointer())
        return builder.load(builder.gep(array, [arguments[1]], inbounds=True))

    return types.float64(types.int64, types.int64), emit


int_of_pointer: Any = _unary(types.int32)
long_of_pointer = _unary(types.int64)
real_of_pointer = _unary(types.float64)
long_of_pointer_and_int = _binary(types.int64, _INT)
real_of_pointer_and_int = _binary(types.float64, _INT)
real_of_pointers = _binary(types.float64, _POINTER)
real_of_pointers_and_int: Any = intrinsic(_real_of_pointers_and_int)
real_of_pointers_and_real: Any = intrinsic(_real_of_pointers_and_real)
load_pointer: Any = intrinsic(_load_pointer)
load_real: Any = intrinsic(_load_real)
