"""One jsii package whose loading is put off, and which is loaded with what is in use of it.

jsii's Python side registers every type of a module that is imported. So the submodules in use are known from
its register, and it is enough to look there before a request that names a type of the package.

The first load takes the package's own name. The kernel knows one package under one name and takes no second
one, but what it registers is the assembly *in* the package: a further copy, unpacked under a name of its own
(`@holdfast/late-...`), with the submodules of both, takes the first one's place. Objects that exist stay what
they are, since the JavaScript already running stays in charge (see index.js).
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jsii.errors import JSIIError

from holdfast_bindings import pruning
from holdfast_bindings.cache import Cache

Load = Callable[[str, str, str], str]
"""Name, version and tarball of a package go in, the name of the assembly in it comes out."""

_REFUSALS = (JSIIError, RuntimeError)
_MOST_SUBMODULES = 1000  # to copy so many of AWS takes as long as to load all; to load the copy, half as long


@dataclass(frozen=True)
class Package:
    """A jsii package as the bindings want it loaded."""

    name: str
    version: str
    tarball: Path


@dataclass
class Assembly:
    """What the kernel has of the package, and how it gets more."""

    package: Package
    cache: Cache | None
    report: Callable[[str], None] = field(default=lambda _: None, repr=False)
    loaded: frozenset[str] = frozenset()
    whole: bool = False
    _attempts: int = field(default=0, repr=False)

    def lacks(self, submodules: frozenset[str]) -> bool:
        """Whether a type of these submodules may be unknown to the kernel."""
        return not self.whole and not submodules <= self.loaded

    def provide(self, submodules: frozenset[str], load: Load) -> None:
        """Load what is loaded already together with these submodules.

        Raises:
            RuntimeError: the kernel refuses the stock package, too.
            JSIIError: the same.
        """
        wanted = self.loaded | submodules
        try:
            with self._pruned(wanted) as tarball:
                self._load(tarball, load)
        except (pruning.Unprunable, OSError) as error:
            self._load_whole(load, str(error))
        except _REFUSALS as error:
            self.report(f"refused {self.package.name}: {error}")
            self._load_whole(load, f"jsii refuses the copy: {error}")
        self.loaded = wanted

    def _load_whole(self, load: Load, reason: str) -> None:
        self.report(f"stock {self.package.name}: {reason}")
        self._load(self.package.tarball, load)
        self.whole = True

    def _load(self, tarball: Path, load: Load) -> None:
        # The kernel keeps the folder of a package that it refused: no name is used twice.
        later = f"@holdfast/{pruning.later_copies(self.package.name)}{self._attempts}"
        name = later if self._attempts else self.package.name
        self._attempts += 1
        assembly = load(name, self.package.version, str(tarball))
        if assembly != self.package.name:
            raise RuntimeError(
                f"jsii must load {self.package.name}, got {assembly} from {tarball}; "
                f"set HOLDFAST_FAST_BINDINGS=0 to load it the stock way"
            )

    @contextmanager
    def _pruned(self, submodules: frozenset[str]) -> Iterator[Path]:
        """The pruned copy: from the cache, or built and put there, or built for this once."""
        key = _key(self.package, submodules)
        if self.cache is not None and (copy := self.cache.fetch(key)) is not None:
            yield copy
            return
        if len(submodules) > _MOST_SUBMODULES:
            raise pruning.Unprunable(f"{len(submodules)} of its submodules are in use")
        self.report(f"made {self.package.name}: {len(submodules)} submodules")
        content = pruning.pruned(self.package.tarball, submodules)
        if (copy := self._stored(key, content)) is not None:
            yield copy
            return
        with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
            copy = Path(folder, "package.tgz")
            copy.write_bytes(content)
            yield copy

    def _stored(self, key: str, content: bytes) -> Path | None:
        if self.cache is None:
            return None
        try:
            return self.cache.store(key, content)
        except OSError:  # a full disk, most likely: this copy still serves this process
            return None


def _key(package: Package, submodules: frozenset[str]) -> str:
    """Names one content: the same package (its size and the checksum at its end) and the same submodules."""
    with package.tarball.open("rb") as tarball:
        size = tarball.seek(0, 2)
        tarball.seek(max(0, size - 8))
        checksum = tarball.read().hex()
    parts = [pruning.FORMAT, package.name, package.version, size, checksum, sorted(submodules)]
    return f"{package.version}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]}"
