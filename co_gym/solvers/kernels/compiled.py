"""The ways the kernels are compiled.

``kernel`` is for functions called from Python. ``inner`` is for those called by other kernels only: it
leaves out the Python wrapper, which for a state of many arrays takes most of the compilation time.
``bare_kernel`` and ``bare_inner`` count no references to arrays, which saves almost half the time where a
state of many arrays is handed through many small functions; they must allocate nothing.
"""

from typing import Any

from numba import njit

# The stubs of numba do not know all options.
_compile: Any = njit

_common: Any = {"cache": True, "nogil": True, "error_model": "numpy"}
_unwrapped: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

kernel: Any = _compile(**_common)
inner: Any = _compile(**_common, **_unwrapped)
bare_kernel: Any = _compile(**_common, _nrt=False)
bare_inner: Any = _compile(**_common, **_unwrapped, _nrt=False)
