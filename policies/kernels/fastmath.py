"""float32 exponentials that vectorize."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

_compile: Any = njit
vectorized: Any = _compile(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nnan", "nsz"}
)
"""For loops that vectorize once a sum may be taken in another order and no NaN is expected."""

LOWEST = np.float32(-87.0)
"""exp of less than this is taken as exp of this, 1.6e-38."""

LOG2E = np.float32(1.4426950408889634)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
TWO = np.float32(2.0)
C1 = np.float32(0.69314718)
C2 = np.float32(0.24022651)
C3 = np.float32(0.05550411)
C4 = np.float32(0.00961813)
C5 = np.float32(0.00133336)
C6 = np.float32(0.00015403)


_intrinsic: Any = intrinsic  # the stubs take the typing context for an argument


@_intrinsic
def _as_float(typingctx: Any, bits: Any) -> Any:
    """The float32 with these 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


@_compile(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def exp_nonpositive(x: Any) -> Any:
    """exp(x) for x <= 0, exp(-87) below -87, to 4e-7 + 7e-8 |x| relative.

    A polynomial gives the power of the exponent's fraction; rounding of x to the base 2 is the second error.
    """
    scaled = max(x, LOWEST) * LOG2E
    whole = np.int32(scaled - HALF)
    f = scaled - np.float32(whole)
    p = ONE + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * (C5 + f * C6)))))
    return p * _as_float(np.int32((whole + np.int32(127)) << np.int32(23)))


@_compile(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def tanh(x: Any) -> Any:
    """Hyperbolic tangent, to 2e-7 absolute."""
    e = exp_nonpositive(-TWO * abs(x))
    t = (ONE - e) / (ONE + e)
    return t if x >= 0 else -t


@_intrinsic
def _as_bits(typingctx: Any, x: Any) -> Any:
    """The 32 bits of a float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


LN2 = np.float32(0.69314718)
ROOT_HALF_BITS = np.int32(0x3F3504F3)
L0 = np.float32(3.3333331174e-1)
L1 = np.float32(-2.4999993993e-1)
L2 = np.float32(2.0000714765e-1)
L3 = np.float32(-1.6668057665e-1)
L4 = np.float32(1.4249322787e-1)
L5 = np.float32(-1.2420140846e-1)
L6 = np.float32(1.1676998740e-1)
L7 = np.float32(-1.1514610310e-1)
L8 = np.float32(7.0376836292e-2)


@_compile(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def log1p_positive(x: Any) -> Any:
    """log(1 + x) for finite x >= 0, to 3e-7 relative, however small x is.

    The polynomial is that of the Cephes library. Where the power of two is 0 it takes x itself, so that nothing is
    lost by rounding 1 + x.
    """
    bits = _as_bits(ONE + x)
    exponent = (bits - ROOT_HALF_BITS) >> np.int32(23)
    f = x if exponent == 0 else _as_float(bits - (exponent << np.int32(23))) - ONE
    p = L0 + f * (L1 + f * (L2 + f * (L3 + f * (L4 + f * (L5 + f * (L6 + f * (L7 + f * L8)))))))
    return f - HALF * f * f + f * f * f * p + np.float32(exponent) * LN2
