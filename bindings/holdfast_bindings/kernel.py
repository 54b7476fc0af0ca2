"""The places where jsii is changed: how its Node process starts, and what is sent to it.

All are methods of the class that talks to Node, wrapped once per Python process. A version of jsii that does
not have them, or does not register its types where they are looked for, is left alone.

Python imports while Node starts and loads cdktf: nothing waits for Node before there is something to ask it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attr
from jsii._kernel.types import LoadRequest, LoadResponse

from holdfast_bindings import refusal, settings, straight
from holdfast_bindings.assembly import Assembly, Package
from holdfast_bindings.cache import Cache, open_cache

_REGISTERS: tuple[Mapping[str, Any], ...] = ()
try:
    from jsii._kernel.providers.process import _NodeProcess
    from jsii._reference_map import _data_types, _enums, _interfaces, _types

    _start: Any = _NodeProcess.start
    _handshake: Any = _NodeProcess.handshake
    _send: Any = _NodeProcess.send
    _REGISTERS = (_types, _data_types, _enums, _interfaces)
except (ImportError, AttributeError):
    pass


_LONGEST = 300  # of an error, in a line of the report


def install(report: Callable[[str], None]) -> Watch | None:
    """Change jsii in this process.

    Args:
        report: is told what became of the bindings, a line at a time.

    Returns:
        What puts off the loading of packages; None when this version of jsii is not known to allow it.
    """
    if not _REGISTERS:
        return None
    cache = open_cache(settings.cache_directory())
    if cache is None:
        report("uncached")
    meanwhile = _Meanwhile()
    watch = Watch(cache, report)
    _wrap_start(cache, meanwhile)
    _wrap_send(watch, meanwhile, _failures(report))
    return watch


def _failures(report: Callable[[str], None]) -> Any:
    """Return what explains errors, or where jsii does not have what that needs, what explains none."""
    try:
        from holdfast_bindings.failures import Failures  # noqa: PLC0415 - it may not be importable
    except (ImportError, AttributeError):
        return _Silent()
    return Failures(report)


class _Silent:
    """Explains no error."""

    def note(self, *_: Any) -> None:
        pass

    def explain(self, *_: Any) -> bool:
        return False


class _Meanwhile:
    """Does in a thread, in order, what nobody has to wait for yet."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="holdfast-bindings")
        self._unfinished: list[Future[Any]] = []

    def do(self, work: Callable[..., Any], *args: Any) -> None:
        self._unfinished.append(self._thread.submit(work, *args))

    def finish(self) -> None:
        """Wait for all of it; what failed is raised here."""
        while self._unfinished:
            self._unfinished.pop(0).result()


def _wrap_start(cache: Cache | None, meanwhile: _Meanwhile) -> None:
    def start(process: _NodeProcess) -> None:
        with settings.node_environment(None if cache is None else cache.unpacked):
            if not straight.start(process):
                _start(process)

    def handshake(process: _NodeProcess) -> None:
        meanwhile.do(_handshake, process)

    _NodeProcess.start = start  # type: ignore[method-assign]
    _NodeProcess.handshake = handshake  # type: ignore[method-assign, assignment]


def _wrap_send(watch: Watch, meanwhile: _Meanwhile, failures: Any) -> None:
    def send(process: _NodeProcess, request: Any, response_type: Any) -> Any:
        def load(name: str, version: str, tarball: str) -> str:
            response: LoadResponse = _send(process, LoadRequest(name, version, tarball), LoadResponse)
            return response.assembly

        if isinstance(request, LoadRequest):
            if watch.puts_off(request):
                return LoadResponse(assembly=request.name, types=0)  # jsii looks at neither
            if _stays(request.tarball):
                meanwhile.do(_send, process, request, response_type)
                return LoadResponse(assembly=request.name, types=0)
        try:
            meanwhile.finish()
            watch.serve(request, load)
            response = _send(process, request, response_type)
        except Exception as error:
            if not failures.explain(error, request):
                watch.failed(error)
            raise
        failures.note(request, response)
        return response

    _NodeProcess.send = send  # type: ignore[method-assign, assignment]


def _stays(tarball: str) -> bool:
    """Whether the file will be there later: from a zipped package, it is unpacked for one moment."""
    folder = Path(tarball).parent
    return any(folder.is_relative_to(entry) for entry in sys.path if entry)


class Watch:
    """Sees every request to the kernel, and has what it needs loaded first."""

    def __init__(self, cache: Cache | None, report: Callable[[str], None]) -> None:
        self._cache = cache
        self._report = report
        self._directories: dict[str, Path] = {}
        self._assemblies: dict[str, Assembly] = {}
        self._types_seen = 0

    def add(self, jsii_package: str, directory: Path) -> None:
        """Put off the loading of this package; `directory` is the Python package that holds its tarball."""
        self._directories[jsii_package] = directory

    def puts_off(self, request: LoadRequest) -> bool:
        """Whether this is the loading of such a package, from a file that will still be there later."""
        tarball = Path(request.tarball)
        directory = self._directories.get(request.name)
        if directory is None or not tarball.is_relative_to(directory):
            return False
        package = Package(name=request.name, version=request.version, tarball=tarball)
        self._assemblies[request.name] = Assembly(package, self._cache, self._report)
        self._types_seen = 0
        return True

    def serve(self, request: Any, load: Callable[[str, str, str], str]) -> None:
        """Load what the request names a type of, where it is not loaded."""
        types = sum(map(len, _REGISTERS))
        prefixes = tuple(f"{name}." for name in self._assemblies)
        if types == self._types_seen or not _mentions(request, prefixes):
            return
        for name, assembly in self._assemblies.items():
            submodules = _registered_submodules(f"{name}.")
            if assembly.lacks(submodules):
                assembly.provide(submodules, load)
        self._types_seen = types

    def failed(self, error: Exception) -> None:
        """Report an error that may come from a copy having been loaded, and not from the app."""
        if refusal.is_one(error, self._assemblies):
            self._report(f"refused {str(error)[:_LONGEST]}")


def _registered_submodules(prefix: str) -> frozenset[str]:
    return frozenset(
        fqn.split(".")[1] for register in _REGISTERS for fqn in register if fqn.startswith(prefix)
    )


def _mentions(value: Any, prefixes: tuple[str, ...]) -> bool:
    """Whether a request names a type: to create it, as an interface, in a struct or in an enum value."""
    if isinstance(value, str):
        return value.startswith(prefixes)
    if isinstance(value, dict):
        return any(_mentions(each, prefixes) for each in value.values())
    if isinstance(value, list):
        return any(_mentions(each, prefixes) for each in value)
    if attr.has(type(value)):
        return any(_mentions(getattr(value, field.name), prefixes) for field in attr.fields(type(value)))
    return False
