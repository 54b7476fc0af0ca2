"""`init`, run only when needed, and only with trusted providers.

A shard's folder that was initialized for the same backend, modules, providers, locks and engine
need not be initialized again: the key of all that is kept beside `.terraform`. Of modules, what their files
say counts: one that is a folder of the app may call others without its own source changing.

Where the project's lock file covers what is required, an engine may only read it: another build of a
provider is refused. Two things a covering lock cannot know make a second run necessary, in the
shard's own copy: a provider that only the state still needs, and this platform's own form of the
checksum (a package that was downloaded is checked by `zh:`, what lies in `.terraform` by `h1:`).
"""

import hashlib
import json
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.cli_config import CliConfig
from holdfast_orchestrator.engine.mirrors import this_platform
from holdfast_orchestrator.engine.modules import ModulesUnknownError, has_modules, modules_digest
from holdfast_orchestrator.engine.outcomes import InitOutcome
from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.engine.runner import Runner, Streamed, check
from holdfast_orchestrator.engine.workdir import INIT_KEY, remove
from holdfast_orchestrator.system.private_files import (
    cache_folder_of,
    locked,
    read_file,
    read_source,
    write_private,
)
from holdfast_orchestrator.terraform.json_values import objects
from holdfast_orchestrator.terraform.module_calls import module_calls

CONFIGURATION = "cdk.tf.json"

_STATE_NEEDS_MORE = "Provider dependency changes detected"
_PLATFORM_MISSING = "Provider lock file not updated"


class Initialization:
    """One shard's `init`: what comes before, between and after the commands that Terraform runs."""

    def __init__(
        self,
        runner: Runner,
        config: CliConfig,
        *,
        project: Path,
        cache: Path,
        required: tuple[Requirement, ...],
    ) -> None:
        self._runner = runner
        self._config = config
        self._project = project
        self._cache = cache
        self._required = required
        self._folder = runner.workdir
        self._locks: lockfile.Locks = {}
        self._learns = False

    @property
    def is_done(self) -> bool:
        """Whether the folder is initialized for just this."""
        try:
            return self._is_initialized(self._key())
        except ModulesUnknownError:
            return False

    def guard(self) -> AbstractContextManager[object]:
        """Return what is entered around the commands: one init at a time where a cache cannot bear more."""
        if not self._config.serial_init:
            return nullcontext()
        return locked(cache_folder_of(self._cache) / "plugins.lock")

    def begin(self) -> tuple[str, ...]:
        """Make the folder ready for the first command, and return its flags."""
        self._forget_half_an_init()
        self._locks = self._project_locks()
        self._learns = not lockfile.covers(self._locks, self._required)
        if self._learns:
            self._copy_locks(self._locks)
            return ()
        sources = {required.source for required in self._required}
        self._copy_locks({source: lock for source, lock in self._locks.items() if source in sources})
        return ("-lockfile=readonly",)

    def must_repeat(self, streamed: Streamed) -> bool:
        """Whether init has to run once more, and may write the lock file then. Raises CommandFailedError."""
        if self._learns:
            return False
        summaries = {diagnostic.summary for diagnostic in streamed.diagnostics}
        if _STATE_NEEDS_MORE in summaries:
            self._learns = True
            self._copy_locks(self._locks)
            return True
        check(self._runner, "init", streamed)
        return _PLATFORM_MISSING in summaries

    def end(self, streamed: Streamed) -> InitOutcome:
        """Keep what the last command has made. Raises CommandFailedError where it failed."""
        check(self._runner, "init", streamed)
        if self._learns:
            name = hashlib.sha256(str(self._project.resolve()).encode()).hexdigest()[:16]
            guard = cache_folder_of(self._cache, "locks") / name
            lockfile.merge_into_project(self._project, lockfile.read(self._folder), guard=guard)
        # Where the modules cannot be read, the next command has to look again.
        with suppress(ModulesUnknownError):
            write_private(self._folder / INIT_KEY, self._key().encode())
        return InitOutcome(skipped=False, diagnostics=streamed.diagnostics)

    def _forget_half_an_init(self) -> None:
        """An init that was killed leaves files that the next one may choke on; its key was never written."""
        key, made = self._folder / INIT_KEY, self._folder / ".terraform"
        if not key.is_file() and made.exists():
            remove(made)
        key.unlink(missing_ok=True)

    def _copy_locks(self, locks: lockfile.Locks) -> None:
        if locks:
            write_private(self._folder / lockfile.NAME, lockfile.render(locks).encode())
        else:
            (self._folder / lockfile.NAME).unlink(missing_ok=True)

    def _project_locks(self) -> lockfile.Locks:
        return lockfile.usable(lockfile.read(self._project), self._required)

    def _key(self) -> str:
        """Return the digest of all that `init` depends on. Raises ModulesUnknownError."""
        configuration = read_source(self._folder / CONFIGURATION)
        document = json.loads(configuration)
        locks = self._project_locks()
        # What was used beside what the configuration requires, modules and the state require.
        used = {*lockfile.read(self._folder), *(required.source for required in self._required)}
        parts = {
            "engine": str(self._runner.engine),
            "backend": [block.get("backend") for block in objects(document.get("terraform"))],
            "modules": [(name, call.source, call.version) for name, call in module_calls(document)],
            "module files": modules_digest(self._folder) if has_modules(configuration) else "",
            "required": [(one.source, one.constraint) for one in self._required],
            "locks": [repr(locks.get(source)) for source in sorted(used)],
            "installation": self._config.text,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _is_initialized(self, key: str) -> bool:
        folder = self._folder
        document = json.loads(read_source(folder / CONFIGURATION))
        has_backend = any(block.get("backend") for block in objects(document.get("terraform")))
        return (
            (folder / INIT_KEY).is_file()
            and read_file(folder / INIT_KEY).decode(errors="replace") == key
            and (not has_backend or (folder / ".terraform" / "terraform.tfstate").is_file())
            and all(self._is_installed(one) for one in self._required)
        )

    def _is_installed(self, required: Requirement) -> bool:
        lock = lockfile.read(self._folder).get(required.source)
        if lock is None:
            return False
        providers = self._folder / ".terraform" / "providers"
        return (providers / required.source / lock.version / this_platform()).is_dir()
