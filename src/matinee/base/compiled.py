"""``kernel``: functions compiled by Numba, which is imported at the first call.

Numba takes half a second to import and every kernel about a second to compile, so neither happens
for a command that calls no kernel. Beyond ``numba.njit``:

- A kernel is compiled again when a file changes whose functions are inlined into it. Numba itself
  checks the kernel's own file alone.
- Where neither the package's folder nor the user's cache folder can be written to, compiled code is
  cached in the system's folder for temporary files, readable by this user alone; failing that, it
  is not cached.
"""

from __future__ import annotations

import functools
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

from .threads import RowCost, in_parts

F = TypeVar("F", bound=Callable[..., Any])
FAST = {"reassoc", "contract", "nsz", "arcp"}
"""``fastmath`` of kernels: sums may be re-associated, which allows vector units; NaN and infinity
keep their meaning, so that a diverging loss is detected."""
_STACK = 40_000
"""Size of a frame, in pointers, for which CPython takes a chunk of 512 KiB."""
_COMPILING = threading.RLock()
_FOR_KERNELS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of functions called by neither Python nor C, which save a tenth of compilation."""


def kernel(*, choice: str | None = None, **options: Any) -> Callable[[F], F]:
    """Decorate a function to be compiled at its first call; it runs without the GIL.

    Args:
        choice: The name of an argument that is the number of a function made by ``choose``. The
            kernel is compiled once for each number it is called with, with that function alone,
            instead of once with all of them.
        **options: Further options of ``numba.njit``: ``fastmath``, ``error_model``.
    """

    def decorate(function: F) -> F:
        flags = {"cache": True, "nogil": True, "no_cfunc_wrapper": True, **options}
        if choice is None:
            return cast(F, _Lazy(function, flags))
        return cast(F, _Family(function, flags, _arguments(function).index(choice)))

    return decorate


def shared(
    rows: int | str | Callable[..., int], *, choice: str | None = None, **options: Any
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Decorate a kernel over a range of rows, which several threads share.

    The function's first two arguments are where its rows begin and end; it is called without them.
    Rows are computed in any order, so none may depend on another. Calls that are expected to take
    little time are left to the calling thread. The loop over threads is not
    Numba's: that takes five times as long to compile, and does not survive a fork.

    Args:
        rows: The number of rows; the name of an array of as many entries (of ``indptr``, one less);
            or a function that computes it from the arguments.
        choice: As for ``kernel``.
        **options: As for ``kernel``.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., None]:
        compute = kernel(choice=choice, **options)(function)
        count, cost = _row_count(rows, _arguments(function)[2:]), RowCost()

        @functools.wraps(function)
        def call(*args: Any) -> None:
            in_parts(compute, count(args), args, cost)

        return call

    return decorate


def _arguments(function: Callable[..., Any]) -> list[str]:
    code = function.__code__
    return list(code.co_varnames[: code.co_argcount])


def _row_count(
    rows: int | str | Callable[..., int], names: list[str]
) -> Callable[[tuple[Any, ...]], int]:
    """Return the number of rows of a shared kernel from its arguments, by name."""
    if callable(rows):
        return lambda args: rows(*args)
    if isinstance(rows, int):
        return lambda args: rows
    position, edges = names.index(rows), int(rows == "indptr")
    return lambda args: len(args[position]) - edges


def inlined(function: F) -> F:
    """Decorate a function for use in kernels, into which Numba inlines it.

    For the body of a loop this takes less time to compile than ``part``, which is compiled both by
    itself and in its kernel.
    """
    return cast(F, _Lazy(function, {"inline": "always"}))


def part(**options: Any) -> Callable[[F], F]:
    """Return a function that kernels call in several places, or that has several returns.

    It is compiled by itself and put in place of its calls by LLVM; Python cannot call it. Numba
    counts the references to its arrays at each call.

    Args:
        **options: As for ``kernel``: ``fastmath`` and ``error_model`` of the kernels that call it.
    """

    def decorate(function: F) -> F:
        flags = {"nogil": True, "forceinline": True, **_FOR_KERNELS}
        return cast(F, _Part(function, {**flags, **options}))

    return decorate


def choose(
    functions: dict[int, Callable[..., Any]], default: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function for use in kernels that applies one of several functions, by code.

    Args:
        functions: Functions by code, of the same number of arguments.
        default: The function for any other code.

    Returns:
        ``choose(code, *args)``. It may be called outside of kernels as well.
    """
    return _Choice(functions, default)


class _Lazy:
    """A function that is compiled when it is first called."""

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        self.__wrapped__: FunctionType = function
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._options = options
        self._compiled: dict[int | None, Any] = {}
        self._call: Callable[..., Any] | None = None

    def __call__(self, *args: Any) -> Any:
        if self._call is None:
            return _with_stack(self._callable(), args)
        return self._call(*args)

    def _callable(self, code: int | None = None) -> Callable[..., Any]:
        self._call = self.compiled(code)
        return self._call

    def compiled(self, code: int | None = None) -> Any:
        """Numba's own object for the function.

        Args:
            code: The function that every ``choose`` in it stands for; None for all of them.
        """
        with _COMPILING:  # two threads must not compile the same function twice
            if code not in self._compiled:
                self._compiled[code] = _compile(self.__wrapped__, self._options, code)
        return self._compiled[code]

    def files(self) -> Iterator[str]:
        """Yield the source files of the function and of those inlined into it, with repetitions."""
        yield self.__wrapped__.__code__.co_filename
        for inner in _globals(self.__wrapped__).values():
            if isinstance(inner, _Lazy):
                yield from inner.files()


class _Part(_Lazy):
    """A function for kernels that has no wrapper for Python, whose call would end the process."""

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.__name__}: only kernels call this function")


class _Family(_Lazy):
    """A kernel that is compiled for each number of a function that it is called with."""

    def __init__(self, function: Any, options: dict[str, Any], position: int) -> None:
        super().__init__(function, options)
        self._position = position
        self._calls: dict[int, Callable[..., Any]] = {}

    def __call__(self, *args: Any) -> Any:
        code = args[self._position]
        call = self._calls.get(code)
        if call is None:
            call = self._calls[code] = self._callable(code)
            return _with_stack(call, args)
        return call(*args)


class _Choice(_Lazy):
    """One of several functions, by number; a kernel of one number includes only that one."""

    def __init__(
        self, functions: dict[int, Callable[..., Any]], default: Callable[..., Any]
    ) -> None:
        self._codes = list(functions)
        count = default.__code__.co_argcount
        names = ", ".join(f"x{k}" for k in range(count))
        lines = [f"def chosen(code, {names}):"]
        for code in functions:
            lines += [f"    if code == {code}:", f"        return function_{code}({names})"]
        lines.append(f"    return default({names})")
        scope: dict[str, Any] = {f"function_{code}": inlined(f) for code, f in functions.items()}
        scope |= {"default": inlined(default), "__name__": __name__}
        exec(compile("\n".join(lines), __file__, "exec"), scope)
        for code in functions:
            line = f"def only_{code}(code, {names}):\n    return function_{code}({names})"
            exec(compile(line, __file__, "exec"), scope)
        self._scope = scope
        super().__init__(scope["chosen"], {"inline": "always"})

    def compiled(self, code: int | None = None) -> Any:
        if code not in self._compiled:
            function = self._scope[f"only_{code}" if code in self._codes else "chosen"]
            self._compiled[code] = _compile(function, self._options, None)
        return self._compiled[code]


def _call_first(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function; with a large frame, see ``_with_stack``."""
    return function(*args)


def _with_stack(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a kernel for the first time, which compiles it.

    CPython takes the memory of frames in chunks of 16 KiB, and gives a chunk back when its last
    frame returns. Where a loop in Numba happens to call across the end of a chunk, that is a
    system call for every iteration: half a million of them, a sixth of the time of compiling.
    A frame of a large size makes a chunk that has room for all others.
    """
    code = _call_first.__code__.replace(co_stacksize=_STACK)
    return FunctionType(code, globals())(function, args)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _globals(function: FunctionType) -> dict[str, Any]:
    """Return the globals that a function refers to, by name."""
    scope = function.__globals__
    return {name: scope[name] for name in _names(function.__code__) if name in scope}


def _compile(function: FunctionType, options: dict[str, Any], code: int | None) -> Any:
    import numba

    replaced = {}
    for name, value in _globals(function).items():
        if isinstance(value, _Lazy):
            replaced[name] = value.compiled(code)
    scope = {**function.__globals__, **replaced}
    copy = FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    # The name of the file of compiled code: one for each number.
    copy.__qualname__ = function.__qualname__ + ("" if code is None else f"_{code}")
    copy.__doc__ = function.__doc__
    if not options.get("cache"):
        return numba.njit(**options)(copy)
    dispatcher = _cached(numba, copy, options)
    files = {*_Lazy(function, options).files()} - {function.__code__.co_filename}
    _watch(dispatcher, sorted(files))
    _drop_unreadable(dispatcher)
    return dispatcher


def _cached(numba: Any, function: FunctionType, options: dict[str, Any]) -> Any:
    """The dispatcher of a function, with a cache in the first folder that can be written to."""
    try:
        return numba.njit(**options)(function)
    except RuntimeError:  # no folder that can be written to
        pass
    private, before = _private_folder(), numba.config.CACHE_DIR
    if private is not None:
        try:
            numba.config.CACHE_DIR = str(private)
            return numba.njit(**options)(function)
        except RuntimeError:
            pass
        finally:
            numba.config.CACHE_DIR = before
    return numba.njit(**{**options, "cache": False})(function)


def cache_folder() -> Path | None:
    """The folder in which this machine keeps the compiled code of this file, or None for nowhere.

    Code of other files is kept beside them, where this is beside this file.
    """
    import numba

    path = _cached(numba, cast(FunctionType, _nothing), {"cache": True}).stats.cache_path
    return None if path is None else Path(path)


def _nothing() -> None:
    """A function to ask about the cache; it is never compiled."""


def _private_folder() -> Path | None:
    """Return a temporary folder that no other user can write to, since its content is executed."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"matinee-kernels-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    private = status.st_mode & 0o077 == 0 or not hasattr(os, "getuid")
    return folder if private and status.st_uid == user and not folder.is_symlink() else None


def _watch(dispatcher: Any, files: list[str]) -> None:
    """Also make the cache entry stale when one of these files changes."""
    index = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if index is None or not files:
        return
    stamps = []
    for name in files:
        try:
            status = Path(name).stat()
        except OSError:  # in an archive, whose own time stamp Numba checks
            continue
        stamps.append((status.st_mtime, status.st_size))
    index._source_stamp = (index._source_stamp, tuple(stamps))


def _drop_unreadable(dispatcher: Any) -> None:
    """Recompile if the index of compiled code names a class that no longer exists.

    Numba unpickles the types of arguments before it compares the time stamps of the source.
    """
    index = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if index is None:
        return
    load = index._load_index

    def load_index() -> Any:
        try:
            return load()
        except (AttributeError, ImportError):
            return {}

    index._load_index = load_index
