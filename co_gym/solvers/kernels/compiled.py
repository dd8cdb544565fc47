"""The two ways the kernels are compiled.

``kernel`` is for functions called from Python. ``inner`` is for those called by other kernels only: it
leaves out the Python wrapper, which for a state of many arrays takes most of the compilation time.
"""

from typing import Any

from numba import njit

# The stubs of numba do not know the last two options.
_compile: Any = njit

kernel: Any = _compile(cache=True, nogil=True, error_model="numpy")
inner: Any = _compile(cache=True, nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
