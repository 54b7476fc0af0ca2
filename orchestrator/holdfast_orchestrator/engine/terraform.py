"""The engine's verbs for one shard: init, plan, show, apply, output."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.project_file import read_choices
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.cli_config import CACHE_VARIABLE, CliConfig, RequiredProviders, cli_config
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.engine.environment import engine_environ
from holdfast_orchestrator.engine.in_memory import forget, into_memory
from holdfast_orchestrator.engine.initialize import CONFIGURATION, Initialization
from holdfast_orchestrator.engine.mirrors import Mirror, find_mirrors
from holdfast_orchestrator.engine.outcomes import ApplyOutcome, InitOutcome, PlanOutcome, account_of
from holdfast_orchestrator.engine.parallelism import Parallelism
from holdfast_orchestrator.engine.providers import Requirement, requirements
from holdfast_orchestrator.engine.runner import Listener, Runner, Streamed, check, explained, ignore
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.engine.ui_events import EmergencyStateDump, PlannedChange, ResourceDrift
from holdfast_orchestrator.engine.user_logs import log_places
from holdfast_orchestrator.engine.warm.client import AttachedProviders, Watching
from holdfast_orchestrator.engine.warm.shard import Place, WarmShard
from holdfast_orchestrator.engine.workdir import ERRORED_STATE, errored_state
from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.system.private_files import cache_folder_of, read_source, write_new
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.terraform.error_patterns import lock_not_taken
from holdfast_orchestrator.terraform.ownership import Holdings
from holdfast_orchestrator.terraform.reads import Reading

PLAN = "plan.tfplan"
GIVEN_VARIABLES = "given-*.tfvars*"
WITHOUT_LOCK, WITHOUT_REFRESH = "-lock=false", "-refresh=false"

# -reconfigure: the folder is only a place to work in, no state ever moves because it changed.
_INIT = ("init", "-json", "-input=false", "-reconfigure")
_UNCHANGED, _CHANGED = 0, 2
_APPLYING = "applying.tfplan"
# Seconds between attempts to take the lock; one attempt already lasts as long as the SDK's own retries.
_LOCK_WAITS = (1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a command needs of the gateway besides its providers; `initializes` is said of an `init`."""

    watch: Watching | None = None
    reading: Reading | None = None
    initializes: bool = False


NO_NEEDS = Needs()


class _UnsuitableError(Exception):
    """A module may require another version than the one that is attached to: Terraform has to look."""


class Terraform:
    """One shard's folder and an engine to work in it; one command at a time.

    `environ` is the shard's whole environment (credentials, endpoint); `project` the folder with the
    lock file, by default the runtime's. Events go to `on_event` while a command runs. Commands that
    fail raise CommandFailedError with their diagnostics; a failed apply is an outcome. With `warm` they
    attach to providers that run already; with `reads_files` to ones that run in this folder. Files of values
    that lie there are given to each plan. `parallelism` says how many objects are read or changed at once.
    """

    def __init__(
        self,
        engine: Engine,
        runtime: Runtime,
        workdir: Path,
        environ: Mapping[str, str],
        on_event: Listener = ignore,
        *,
        project: Path | None = None,
        warm: WarmShard | None = None,
        reads_files: bool = False,
        parallelism: Parallelism | None = None,
    ) -> None:
        self._parallelism = parallelism or Parallelism()
        self._reads_files = reads_files
        self.engine = engine
        self.workdir = workdir
        self._runtime = runtime
        self._shard_environ = {**engine_environ(environ), **log_places(environ, runtime.cwd)}
        self._project = project or runtime.cwd
        self._warm = warm
        self._runner = Runner(engine, runtime, workdir=workdir, on_event=on_event)

    def init(self) -> InitOutcome:
        """Make the folder ready: backend, modules, providers. Quick where it is already."""
        steps = Initialization(
            self._runner,
            self._config,
            project=self._project,
            cache=self._runtime.cache,
            required=self._required,
        )
        if self._warm is None:
            return self._initialized(steps, self._environ)
        with self._lent(Needs(initializes=True)) as lent:
            if not lent.reattach:
                self._warm.get_ready(self._place)
                return self._initialized(steps, self._environ)
            with contextlib.suppress(CommandFailedError, _UnsuitableError):
                outcome = self._initialized(steps, {**self._environ, **lent.environ}, suits=self._suits)
                for package in self._warm.packages(self._place):
                    package.link_into(self.workdir)
                return outcome
        return self._initialized(steps, self._environ)

    def _initialized(
        self, steps: Initialization, environ: Mapping[str, str], *, suits: Callable[[], bool] | None = None
    ) -> InitOutcome:
        if steps.is_done:
            return InitOutcome(skipped=True)
        with steps.guard():
            streamed = self._runner.stream(*_INIT, *steps.begin(), environ=environ)
            if steps.must_repeat(streamed):
                streamed = self._runner.stream(*_INIT, environ=environ)
            if streamed.completed and suits is not None and not suits():
                raise _UnsuitableError
            return steps.end(streamed)

    def _suits(self) -> bool:
        return self._warm is not None and self._warm.suits(self._place, self.engine.registry)

    def plan(
        self,
        *,
        out: str = PLAN,
        destroy: bool = False,
        targets: Sequence[str] = (),
        flags: Sequence[str] = (),
        holdings: Holdings | None = None,
        reading: Reading | None = None,
    ) -> PlanOutcome:
        """Make a plan in the file `out` of the shard's folder; of `targets` alone where there are any.

        `flags` are further ones of the engine: WITHOUT_LOCK, WITHOUT_REFRESH. With `holdings` what it would
        create is looked for while it plans. `reading` says what becomes of its reads.
        """
        arguments = ["-json", "-input=false", "-detailed-exitcode", f"-out={out}"]
        arguments += self._parallelism.of_plan
        arguments += ["-destroy"] if destroy else []
        arguments += [f"-target={address}" for address in targets]
        arguments += [f"-var-file={file.name}" for file in sorted(self.workdir.glob(GIVEN_VARIABLES))]
        arguments += flags
        watch = None if holdings is None else Watching(holdings=holdings, plans=True)
        streamed, lent = self._planned(arguments, Needs(watch, reading))
        check(self._runner, "plan", streamed)
        if not (self.workdir / out).is_file():
            raise CommandFailedError(
                f"{self.engine.kind} plan", streamed.completed.code, streamed.diagnostics
            )
        # A plan holds every value it is about, in an archive.
        if self._is_in_memory:
            into_memory(self.workdir / out)
        return PlanOutcome(
            changes=streamed.completed.code == _CHANGED,
            plan=self.workdir / out,
            planned=tuple(event for event in streamed.events if isinstance(event, PlannedChange)),
            drift=tuple(event for event in streamed.events if isinstance(event, ResourceDrift)),
            diagnostics=streamed.diagnostics,
            watched=lent.watched,
            reads=lent.reads,
        )

    def _planned(self, arguments: Sequence[str], needs: Needs) -> tuple[Streamed, AttachedProviders]:
        """Plan; once more where the store would not let the lock be taken for a moment (S3 answers 409)."""
        for seconds in (*_LOCK_WAITS, None):
            streamed, lent = self._stream(
                "plan", *arguments, accept=frozenset({_UNCHANGED, _CHANGED}), needs=needs
            )
            errors = [diagnostic.text for diagnostic in streamed.diagnostics if diagnostic.is_error]
            if streamed.completed or seconds is None or not lock_not_taken(errors) or self.interrupted:
                break
            self._runtime.clock.sleep(seconds)
        return streamed, lent

    def show_plan(self, plan: Path) -> dict[str, Any]:
        """Return a plan as the engine's JSON. It holds secrets in the clear."""
        shown: dict[str, Any] = json.loads(self._ask("show", "-json", str(plan)))
        return shown

    def apply(self, plan: Path, *, holdings: Holdings | None = None, traceable: bool = False) -> ApplyOutcome:
        """Apply a plan, once: the file is gone afterwards. Never raises for an apply that fails.

        With `holdings` its creates are guarded: none takes over an object that exists. `traceable` says that
        all that it changes are objects of AWS, none of which reaches further than its identifiers.
        """
        claimed = self._claimed(plan)
        watch = None if holdings is None else Watching(holdings=holdings, applies=True)
        try:
            with self._tracing(traceable):
                streamed, lent = self._stream(
                    "apply",
                    "-json",
                    "-input=false",
                    *self._parallelism.of_apply,
                    str(claimed),
                    needs=Needs(watch),
                )
        finally:
            forget(claimed)
            claimed.unlink(missing_ok=True)
        account = account_of(streamed.events)
        if traceable and account.changes != lent.applied:
            # Something was changed past the gateway.
            with self._tracing(traceable=False):
                pass
        return ApplyOutcome(
            code=streamed.completed.code,
            started=len(account.starts),
            completed=len(account.completions),
            errored=len(account.errors),
            created=account.created,
            in_doubt=account.in_doubt,
            diagnostics=(*streamed.diagnostics, *_listener_failed(streamed)),
            errored_state=self._rescued_state(streamed),
            record=streamed.record,
            interrupted=self._runner.interrupted,
            watched=lent.watched,
        )

    @property
    def guards(self) -> bool:
        """Whether the creates of an apply would be guarded."""
        return self._warm is not None and not self._config.overridden and self._warm.guards(self._place)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs' values by name, sensitive ones too."""
        outputs = json.loads(self._ask("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def interrupt(self) -> bool:
        """Stop what runs with one SIGINT, ever; it is still waited for. Safe from any thread."""
        return self._runner.interrupt()

    def cancel(self) -> None:
        """Stop what runs as `interrupt` does, and begin no other command. Safe from any thread.

        It is for planning: between two commands there is nothing to interrupt. Every later command raises
        InterruptedSafelyError.
        """
        self._runner.cancel()

    @property
    def interrupted(self) -> bool:
        """Whether anybody asked to stop."""
        return self._runner.interrupted

    @cached_property
    def _required(self) -> tuple[Requirement, ...]:
        return requirements(read_source(self.workdir / CONFIGURATION), self.engine.registry)

    @cached_property
    def _config(self) -> CliConfig:
        plugins = cache_folder_of(self._runtime.cache, "plugins")
        providers = RequiredProviders(self._required, lockfile.read(self._project), self._mirrors)
        return cli_config(self._shard_environ, engine=self.engine, providers=providers, cache=plugins)

    @cached_property
    def _mirrors(self) -> tuple[Mirror, ...]:
        named = read_choices(self._project).provider_mirror
        return find_mirrors(self._runtime, self.engine.registry, named=named)

    @cached_property
    def _environ(self) -> dict[str, str]:
        return self._config.applied(self._shard_environ, self.workdir)

    @contextlib.contextmanager
    def _lent(self, needs: Needs = NO_NEEDS) -> Iterator[AttachedProviders]:
        if self._warm is None or self._config.overridden:
            yield AttachedProviders()
            return
        place = replace(self._place, initializes=needs.initializes)
        with self._warm.lent(place, needs.watch, needs.reading) as lent:
            yield lent

    @contextlib.contextmanager
    def _tracing(self, traceable: bool) -> Iterator[None]:  # noqa: FBT001 - its one argument
        """Let an apply run; what it may change unseen makes what was read before worthless."""
        if self._warm is None or (
            traceable and not self._config.overridden and self._warm.traces(self._place)
        ):
            yield
            return
        with self._warm.untraced():
            yield

    @property
    def _place(self) -> Place:
        own = self.workdir / ".terraform" / "providers"
        cache = Path(self._environ.get(CACHE_VARIABLE) or self._runtime.cache / "plugins")
        anywhere = (*(mirror.path for mirror in self._mirrors), cache, own)
        return Place(
            workdir=self.workdir,
            configuration=read_source(self.workdir / CONFIGURATION),
            required=self._required,
            locks=lockfile.usable(lockfile.read(self._project), self._required),
            roots=(own,) if self._config.users_own else anywhere,
            environ=self._environ,
            reads_files=self._reads_files,
        )

    def _stream(
        self, *arguments: str, accept: frozenset[int] = frozenset({0}), needs: Needs = NO_NEEDS
    ) -> tuple[Streamed, AttachedProviders]:
        """Run a command; return what it was lent too, with what was seen there."""
        with self._lent(needs) as lent:
            environ = {**self._environ, **lent.environ}
            streamed = self._runner.stream(*arguments, environ=environ, accept=accept)
        ends_here = streamed.completed or streamed.trouble is not None or arguments[0] == "apply"
        if ends_here or not self._must_repeat(lent, streamed.diagnostics):
            return streamed, lent
        repeated = self._runner.stream(*arguments, environ=self._environ, accept=accept)
        return repeated, AttachedProviders()

    def _ask(self, *arguments: str) -> str:
        """Run a command that only reads, and return its output. Raises CommandFailedError."""
        with self._lent() as lent:
            completed = self._runner.ask(*arguments, environ={**self._environ, **lent.environ})
        if not completed and self._must_repeat(lent, explained(completed)):
            completed = self._runner.ask(*arguments, environ=self._environ)
        if not completed:
            verb = f"{self.engine.kind} {arguments[0]}"
            raise CommandFailedError(verb, completed.code, explained(completed))
        return completed.stdout

    def _must_repeat(self, lent: AttachedProviders, diagnostics: tuple[Diagnostic, ...]) -> bool:
        return (
            self._warm is not None
            and not self._runner.interrupted
            and self._warm.must_repeat(lent, diagnostics)
        )

    @property
    def _is_in_memory(self) -> bool:
        """Whether what holds secrets is not to lie on a disk."""
        return (self.workdir / CONFIGURATION).is_symlink()

    def _claimed(self, plan: Path) -> Path:
        # An applied plan whose state was lost can be applied again, and then makes everything twice.
        claimed = self.workdir / _APPLYING
        try:
            if self._is_in_memory:
                into_memory(plan, claimed)
            else:
                plan.replace(claimed)
        except FileNotFoundError as error:
            raise EngineError(
                f"there is no plan {plan}: a plan is applied once and is gone then", next_step="plan again"
            ) from error
        return claimed

    def _rescued_state(self, streamed: Streamed) -> Path | None:
        dump = next((event for event in streamed.events if isinstance(event, EmergencyStateDump)), None)
        path = self.workdir / ERRORED_STATE
        if dump is not None and not path.exists():
            # The dump was printed because a disk was full; then it is still in the record.
            with contextlib.suppress(OSError):
                write_new(path, json.dumps(dump.state).encode())
        return errored_state(self.workdir)


def _listener_failed(streamed: Streamed) -> tuple[Diagnostic, ...]:
    # The events of an apply are read to the end even if its listener failed: what it did has to be known.
    if not isinstance(streamed.trouble, Exception):
        return ()
    return (Diagnostic(severity="warning", summary=f"showing the events failed: {streamed.trouble!r}"),)
