"""The places where jsii is changed: how its Node process starts, and what is sent to it.

All are methods of the class that talks to Node, wrapped once per Python process. A version of jsii that does
not have them, or does not register its types where they are looked for, is left alone.

Python imports while Node starts and loads cdktf: nothing waits for Node before there is something to ask it.
"""

import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attr
from jsii._kernel.types import LoadRequest, LoadResponse

from holdfast_constructs._bindings import settings, straight
from holdfast_constructs._bindings.assembly import Assembly, Package
from holdfast_constructs._bindings.cache import Cache, open_cache

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


def install(*, jsii_package: str, directory: Path) -> bool:
    """Change jsii in this process.

    Args:
        jsii_package: the package whose loading is to be put off.
        directory: the Python package that holds its tarball.

    Returns:
        False when this version of jsii is not known to allow it.
    """
    if not _REGISTERS:
        return False
    cache = open_cache(settings.cache_directory())
    meanwhile = _Meanwhile()
    _wrap_start(cache, meanwhile)
    _wrap_send(_Watch(jsii_package, directory, cache), meanwhile)
    return True


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


def _wrap_send(watch: "_Watch", meanwhile: _Meanwhile) -> None:
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
        meanwhile.finish()
        watch.serve(request, load)
        return _send(process, request, response_type)

    _NodeProcess.send = send  # type: ignore[method-assign, assignment]


def _stays(tarball: str) -> bool:
    """Whether the file will be there later: from a zipped package, it is unpacked for one moment."""
    return not Path(tarball).is_relative_to(tempfile.gettempdir())


@dataclass(slots=True)
class _Watch:
    """Sees every request to the kernel, and has what it needs loaded first."""

    jsii_package: str
    directory: Path
    cache: Cache | None
    _assembly: Assembly | None = None
    _types_seen: int = 0

    def puts_off(self, request: LoadRequest) -> bool:
        """Whether this is the loading of the package, from a file that will still be there later."""
        tarball = Path(request.tarball)
        if request.name != self.jsii_package or not tarball.is_relative_to(self.directory):
            return False
        package = Package(name=request.name, version=request.version, tarball=tarball)
        self._assembly = Assembly(package, self.cache)
        return True

    def serve(self, request: Any, load: Callable[[str, str, str], str]) -> None:
        types = sum(map(len, _REGISTERS))
        if self._assembly is None or types == self._types_seen:
            return
        if not _mentions(request, f"{self.jsii_package}."):
            return
        submodules = _registered_submodules(f"{self.jsii_package}.")
        if self._assembly.lacks(submodules):
            self._assembly.provide(submodules, load)
        self._types_seen = types


def _registered_submodules(prefix: str) -> frozenset[str]:
    return frozenset(
        fqn.split(".")[1] for register in _REGISTERS for fqn in register if fqn.startswith(prefix)
    )


def _mentions(value: Any, prefix: str) -> bool:
    """Whether a request names a type: to create it, as an interface, in a struct or in an enum value."""
    if isinstance(value, str):
        return value.startswith(prefix)
    if isinstance(value, dict):
        return any(_mentions(each, prefix) for each in value.values())
    if isinstance(value, list):
        return any(_mentions(each, prefix) for each in value)
    if attr.has(type(value)):
        return any(_mentions(getattr(value, field.name), prefix) for field in attr.fields(type(value)))
    return False
