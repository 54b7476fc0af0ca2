"""Lets Dask load only plain values from a cluster.

Workers answer with text, but Dask sends that text, and its own errors, as pickles. Anyone who reaches the
scheduler can send any pickle to its clients, and loading it may call any function of this process. So this
module replaces Dask's loader: the new one loads plain values and kinds of exceptions, and replaces everything
else by a `Stranger`, which does nothing.
"""

import builtins
import io
import pickle
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Self

_PLAIN = frozenset({"set", "frozenset", "bytearray", "complex"})
# Kinds of errors that Dask itself sends.
_DASK = ("distributed", "dask")
_ERRORS = "tblib.pickling_support"
_REBUILDERS = ("unpickle_exception", "unpickle_exception_with_attrs")
_lock = threading.Lock()


class Stranger(Exception):  # noqa: N818 - it replaces any object
    """Replaces an object that may not be loaded; as an error it shows the name of that object."""

    name = "an object"

    def __new__(cls, *given: object, **_named: object) -> Self:
        return super().__new__(cls, *given)

    def __init__(self, *_given: object, **_named: object) -> None:
        super().__init__(*(value for value in _given if isinstance(value, str | int | float)))

    def __setstate__(self, _state: object) -> None:
        """Ignore the state."""

    def __str__(self) -> str:
        return f"{self.name}: {super().__str__()}"


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "builtins" and name in _PLAIN:
            return getattr(builtins, name)
        if module == _ERRORS and name in _REBUILDERS:
            return _error
        # Only what is loaded already, and no attribute of an attribute: a pickle imports nothing.
        value = getattr(sys.modules.get(module), name, None) if "." not in name else None
        is_trusted = module == "builtins" or module.partition(".")[0] in _DASK
        if is_trusted and isinstance(value, type) and issubclass(value, Exception):
            return value
        return type("Stranger", (Stranger,), {"name": f"{module}.{name}"[:100]})

    def persistent_load(self, _: object) -> Any:
        raise pickle.UnpicklingError("a pickle that refers to something outside itself")


def _error(kind: Any, about: Any, *_beside: Any) -> Any:
    """Replace the function with which tblib rebuilds an error; traceback, cause and notes are dropped."""
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return Stranger("an error")
    given = about if isinstance(about, tuple) else about.get("args", ()) if isinstance(about, dict) else ()
    error = kind.__new__(kind)
    error.args = given
    return error


def loads(content: Any, *, buffers: Any = ()) -> Any:
    """Load a pickle of plain values; strangers, tracebacks among them, do nothing. Raises UnpicklingError."""
    value = _Plain(io.BytesIO(bytes(content)), buffers=buffers or None).load()
    # Dask passes a traceback on beside its error, and accepts None for it.
    return None if isinstance(value, Stranger) and value.name.startswith("tblib.") else value


@contextmanager
def plain_values_only() -> Iterator[None]:
    """While inside, Dask's client in this process loads only pickles of plain values.

    This also restricts a program that is a client of another cluster at the same time.
    """
    protocol: Any = import_module("distributed.protocol.pickle")
    client: Any = import_module("distributed.client")
    shuffle: Any = import_module("distributed.shuffle._pickle")
    places: list[tuple[Any, str, Any]] = [(protocol, "loads", loads), (client, "loads", loads)]
    places += [(module, "pickle", _Module) for module in (client, shuffle)]
    with _lock:
        before = [(module, name, getattr(module, name)) for module, name, _ in places]
        for module, name, value in places:
            setattr(module, name, value)
    try:
        yield
    finally:
        with _lock:
            for module, name, value in before:
                setattr(module, name, value)


class _Module:
    """Replaces the module `pickle` in Dask."""

    loads = staticmethod(loads)
    dumps = staticmethod(pickle.dumps)
    HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL
    PickleBuffer = pickle.PickleBuffer
    PicklingError = pickle.PicklingError
    UnpicklingError = pickle.UnpicklingError
