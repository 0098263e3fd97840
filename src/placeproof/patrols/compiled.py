"""Compile a function once for explicit types, and keep it between runs where that is possible."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(*signatures: Any) -> Callable[[Callable[..., Any]], Any]:
    """
    Compile for the given types as soon as the module is read, without the interpreter's lock.

    Machine code is kept beside the source or in the user's cache folder; where neither can be
    written (an install that is read-only, a full disk) it is made anew in each process.

    Parameters
    ----------
    signatures : numba signatures
        None: the types of the first call, as small helpers that are compiled into others need.

    Returns
    -------
    decorator
    """
    given = [list(signatures)] if signatures else []
    njit: Any = numba.njit

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(*given, cache=True, nogil=True, error_model="numpy")(function)
        except (OSError, RuntimeError):
            return njit(*given, nogil=True, error_model="numpy")(function)

    return decorate
