"""Synthesizes a cdktf app and chooses and orders its shards, without Terraform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from holdfast_orchestrator.api.keywords import SelectionKeywords, selected
from holdfast_orchestrator.app.foreign import ForeignDefaults, calling_account
from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.inputs import Variable
from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.app.manifest_loader import is_synthesized, load_manifest
from holdfast_orchestrator.app.project_file import (
    ForeignSettings,
    ProjectFile,
    checked_parallelism,
    read_project_file,
)
from holdfast_orchestrator.app.selection import (
    EVERYTHING,
    Names,
    Selection,
    labels,
    names_of,
    refuse_ambiguous,
    select,
)
from holdfast_orchestrator.app.synth import synth_lock, synthesize
from holdfast_orchestrator.app.waves import MATRIX_LIMIT, matrix_waves
from holdfast_orchestrator.context.tools import RealTools, Tools, within_reach
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.events import Emitter, Listener, Notice, ignore
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Runtime, real_runtime
from holdfast_orchestrator.system.stop import StopSignal

if TYPE_CHECKING:
    from holdfast_orchestrator.api.history import History
    from holdfast_orchestrator.api.states import States
    from holdfast_orchestrator.app.connections import Connection
    from holdfast_orchestrator.app.explained import ExplainedStack
    from holdfast_orchestrator.context.run import Run
    from holdfast_orchestrator.state.object_store import DurableStore

__all__ = ["MATRIX_LIMIT", "App", "Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of every command on a project.

    `foreign` are settings for an app that writes no holdfast.json. `engine` is terraform, tofu or a path.
    `output` is the folder to synthesize to, by default that of cdktf.json. With `cold_providers` every
    Terraform command starts its own providers. `variables` are values of Terraform variables; a later value
    overrides an earlier one. `parallelism` is how many objects of a shard Terraform reads or changes at once;
    it overrides the setting of cdktf.json. With `full_verify` a verify reads every object again.
    """

    foreign: ForeignSettings = field(default_factory=ForeignSettings)
    engine: str | None = None
    output: Path | None = None
    cold_providers: bool = False
    parallelism: int | None = None
    full_verify: bool = False
    variables: tuple[Variable, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class App:
    """A cdktf app and the runtime in which it is read."""

    file: ProjectFile
    runtime: Runtime
    options: Options = field(default_factory=Options)
    redactor: Redactor = field(default_factory=Redactor, repr=False)
    tools: Tools | None = None

    @classmethod
    def load(
        cls, path: str | Path = ".", *, runtime: Runtime | None = None, options: Options | None = None
    ) -> Self:
        """Read the cdktf.json in folder `path`. Raises SettingsError if it or an option is wrong."""
        runtime = runtime or real_runtime()
        options = options or Options()
        file = read_project_file((runtime.cwd / path).absolute())
        if checked_parallelism(options.parallelism, "parallelism") is not None:
            file = replace(file, parallelism=options.parallelism)
        if options.output is not None:
            file = replace(file, output=(runtime.cwd / options.output).absolute())
        runtime.redactor.learn(list(file.redact), named=True)
        return cls(file=file, runtime=runtime, options=options, redactor=runtime.redactor)

    def synth(self, *, env: Names = (), service: Names = (), on_event: Listener = ignore) -> Manifest:
        """Run the app for these environments and services (none: all) and read its output."""
        self.refuse_early(select(env=env, service=service))
        emit = self._emitter(on_event)
        with synth_lock(self.file.folder):
            synthesize(
                self.file, self.runtime, environments=names_of(env), services=names_of(service), emit=emit
            )
            return self._with_inputs(self._read(env))

    def refuse_early(self, selection: Selection) -> None:
        """Raise UsageError for names that the app does not have for certain, before it is run."""
        from holdfast_orchestrator.app.known_names import known_names  # noqa: PLC0415 - only before a synthesis

        known = known_names(self.file, self.runtime.environ)
        if known is not None:
            known.refuse(selection)

    def _with_inputs(self, manifest: Manifest) -> Manifest:
        from holdfast_orchestrator.inputs.capture import capture  # noqa: PLC0415 - only after a synthesis
        from holdfast_orchestrator.inputs.variables import Given  # noqa: PLC0415

        given = Given(environ=self.runtime.environ, variables=self.options.variables)
        return capture(manifest, self.file.folder, given)

    def list(
        self,
        selection: Selection = EVERYTHING,
        *,
        on_event: Listener = ignore,
        **keywords: Unpack[SelectionKeywords],
    ) -> tuple[Shard, ...]:
        """Return the shards chosen. The app is synthesized only if the output folder lacks one of them.

        With `selection.changed_since`, the app is synthesized as it is and as it was then, and only shards
        that differ are returned. Raises UsageError for a name that matches nothing.
        """
        return self._chosen(selected(selection, keywords), on_event=on_event)[1]

    def recorded(self, *, env: Names = (), on_event: Listener = ignore) -> tuple[Shard, ...]:
        """Return the shards of these environments (none: all), whose buckets hold the records of runs.

        If no environments are named and the local cloud does not run, its shards are left out, with a notice.
        """
        shards = self.list(select(env=env), on_event=on_event)
        reachable = shards if names_of(env) else within_reach(self._tools, shards)
        if reachable != shards:
            tell = self.teller(on_event)
            tell("the local cloud does not run: its records are left out (holdfast local up)")
        return reachable

    def history(self, *, env: Names = (), on_event: Listener = ignore) -> "History":
        """Return the records in the buckets of the shards that `recorded` returns."""
        from holdfast_orchestrator.api.history import History  # noqa: PLC0415 - when it is called

        buckets: dict[str, DurableStore] = {}
        for shard in self.recorded(env=env, on_event=on_event):
            if shard.state.bucket not in buckets:
                buckets[shard.state.bucket] = self._tools.store(shard)
        return History(runtime=self.runtime, buckets=buckets)

    def states(self, *, on_event: Listener = ignore) -> "States":
        """Return the states of the app's shards, to read and to restore."""
        from holdfast_orchestrator.api.states import States  # noqa: PLC0415 - when it is called

        shards = self.list(on_event=on_event)
        return States.of_app(shards, project=self.file.own_id, tools=self._tools, runtime=self.runtime)

    def waves(
        self,
        selection: Selection = EVERYTHING,
        *,
        limit: int | None = None,
        on_event: Listener = ignore,
        **keywords: Unpack[SelectionKeywords],
    ) -> tuple[tuple[Shard, ...], ...]:
        """Return the shards that `list` returns, in waves of at most `limit`, dependencies first.

        Raises UsageError if the name of a shard is also the service of another, because a command could not
        name it alone.
        """
        manifest, shards = self._chosen(selected(selection, keywords), on_event=on_event)
        for shard in shards:
            refuse_ambiguous(shard, manifest)
        graph = manifest.graph.only(shard.name for shard in shards)
        waves = matrix_waves(graph, limit=limit or MATRIX_LIMIT)
        return tuple(tuple(manifest.by_name[name] for name in wave) for wave in waves)

    def changed_since(self, manifest: Manifest, ref: str, *, env: Names = ()) -> frozenset[str]:
        """Return the shards of `manifest` that the app at git revision `ref` synthesizes differently.

        A shard also counts if its environment did not exist then, or its providers were locked differently.
        Raises UsageError if the project is in no git repository, git does not know the revision, or the app
        cannot be synthesized there.
        """
        from holdfast_orchestrator.change_detection import git_diff as since  # noqa: PLC0415 - rarely asked for

        named = names_of(env)
        with since.checked_out(self.file.folder, ref, self.runtime) as checkout:
            runtime = replace(self.runtime, environ=checkout.environ, cwd=checkout.folder)
            existing = since.known_then(named, self.file.folder, checkout.folder, runtime.environ)

            def synth() -> Manifest:
                if named and not existing:
                    return Manifest(())
                file = read_project_file(checkout.folder)
                return replace(self, file=file, runtime=runtime).synth(env=existing)

            then = since.synthesized_at(ref, synth)
            relocked = since.relocked(self.file.folder, checkout.folder)
            return since.changed_since(manifest, then, relocked)

    def run(
        self, manifest: Manifest, *, on_event: Listener = ignore, stop: StopSignal | None = None
    ) -> "Run":
        """Return a new run of a synthesized app: the values that its stages share."""
        from holdfast_orchestrator.context.run import Run  # noqa: PLC0415
        from holdfast_orchestrator.engine.user_logs import log_warning  # noqa: PLC0415
        from holdfast_orchestrator.inputs.variables import secret_variables  # noqa: PLC0415
        from holdfast_orchestrator.run_id import new_run_id  # noqa: PLC0415 - only with Terraform
        from holdfast_orchestrator.system.secret_places import secrets_in_configuration  # noqa: PLC0415

        label_of = labels(manifest.shards)
        for shard in manifest.shards:
            self.redactor.learn([*secrets_in_configuration(shard.configuration), *secret_variables(shard)])
        if (warning := log_warning(self.runtime.environ)) is not None:
            self.teller(on_event)(warning)
        return Run(
            id=new_run_id(self.runtime.clock.now()),
            manifest=manifest,
            tools=self._tools,
            runtime=self.runtime,
            redactor=self.redactor,
            emit=self._emitter(on_event),
            stop=stop or StopSignal(),
            label=lambda name: label_of.get(name, name),
            project=self.file.id,
            is_named=self.file.is_named,
        )

    def _chosen(self, selection: Selection, *, on_event: Listener) -> tuple[Manifest, tuple[Shard, ...]]:
        manifest = None if selection.changed_since is not None else self.existing(selection)
        if manifest is None:
            self.refuse_early(selection)
            manifest = self.synth(env=selection.environments, on_event=on_event)
        return manifest, self._choose(selection, manifest)

    def _choose(self, selection: Selection, manifest: Manifest) -> tuple[Shard, ...]:
        """Return the shards of a manifest that are chosen, after finding out which of them changed."""
        if selection.changed_since is not None:
            changed = self.changed_since(manifest, selection.changed_since, env=selection.environments)
            selection = replace(selection, changed_since=None, changed=changed)
        return selection.of(manifest)

    def graph(
        self,
        selection: Selection = EVERYTHING,
        *,
        on_event: Listener = ignore,
        **keywords: Unpack[SelectionKeywords],
    ) -> Graph:
        """Return which of the chosen shards depends on which."""
        manifest, shards = self._chosen(selected(selection, keywords), on_event=on_event)
        return manifest.graph.only(shard.name for shard in shards)

    def explain(
        self,
        selection: Selection = EVERYTHING,
        *,
        on_event: Listener = ignore,
        **keywords: Unpack[SelectionKeywords],
    ) -> tuple["ExplainedStack", ...]:
        """Synthesize, and return the effective properties of the chosen stacks.

        Raises UsageError for a name that matches nothing, and for an app without Holdfast's blocks.
        """
        from holdfast_orchestrator.app.explained import read_explained  # noqa: PLC0415 - when it is called

        chosen = selected(selection, keywords)
        shards = self._choose(chosen, self.synth(env=chosen.environments, on_event=on_event))
        return read_explained(self.file.output, [shard.name for shard in shards])

    def connections(
        self,
        selection: Selection = EVERYTHING,
        *,
        on_event: Listener = ignore,
        **keywords: Unpack[SelectionKeywords],
    ) -> tuple["Connection", ...]:
        """Synthesize, and return the connections that one of the chosen stacks is an end of.

        Raises UsageError for a name that matches nothing, and for an app without Holdfast's blocks.
        """
        from holdfast_orchestrator.app.connections import read_connections  # noqa: PLC0415 - when it is called

        chosen = selected(selection, keywords)
        shards = self._choose(chosen, self.synth(env=chosen.environments, on_event=on_event))
        return read_connections(self.file.output, [shard.name for shard in shards])

    def existing(self, selection: Selection) -> Manifest | None:
        """Return the manifest in the output folder, if it has all chosen shards and may be deployed."""
        if not is_synthesized(self.file.output):
            return None
        try:
            with synth_lock(self.file.folder):
                manifest = self._read(selection.environments)
            selection.of(manifest)
        except UsageError:
            # The error may be corrected in the app by now.
            return None
        return manifest

    def _read(self, env: Names) -> Manifest:
        named, options = names_of(env), self.options.foreign
        if len(named) == 1 and options.environment is None:
            options = replace(options, environment=named[0])
        return load_manifest(
            self.file.output,
            ForeignDefaults(
                settings=self.file.foreign,
                options=options,
                find_account=self._find_account,
                folder=self.file.folder,
                custom_endpoint=bool(self.runtime.environ.get("AWS_ENDPOINT_URL")),
                keeping=self.file.keeping,
                accepted_differences=self.file.accepted_differences,
            ),
        )

    def _find_account(self, region: str, cloud: str) -> str:
        environ = self._real_tools.environ("local" if cloud == "local" else "aws")
        return calling_account(self.runtime.aws, region=region, environ=environ)

    @property
    def _tools(self) -> Tools:
        return self.tools or self._real_tools

    @property
    def _real_tools(self) -> RealTools:
        return RealTools(
            runtime=self.runtime,
            project=self.file.folder,
            engine_choice=self.options.engine,
            parallelism=self.file.parallelism,
            full_verify=self.options.full_verify,
        )

    def _emitter(self, on_event: Listener) -> Emitter:
        return Emitter(self.runtime.clock, self.redactor, on_event)

    def store(self, shard: Shard) -> "DurableStore":
        """Return the bucket that holds the state of a shard."""
        return self._tools.store(shard)

    def client(self, service: str, *, region: str, cloud: Literal["aws", "local"]) -> Any:
        """Return a boto3 client of a service in a cloud."""
        return self.runtime.aws.client(service, region=region, environ=self._tools.environ(cloud))

    def with_environ(self, variables: Mapping[str, str]) -> Self:
        """Return the app in an environment that has these variables, too."""
        environ = {**self.runtime.environ, **variables}
        return replace(self, runtime=replace(self.runtime, environ=environ))

    def teller(self, on_event: Listener) -> Callable[[str], object]:
        """Return a function that emits a sentence as a notice."""
        emit = self._emitter(on_event)
        return lambda sentence: emit(Notice(message=sentence))


def only_shard(stack: str, manifest: Manifest, env: Names) -> Shard:
    """Return the one shard that `stack` names, exactly or as a glob. Raises UsageError if there are more."""
    shards = select(env=env, stack=stack).of(manifest)
    exact = tuple(shard for shard in shards if shard.name == stack)
    if len(exact or shards) != 1:
        names = ", ".join(shard.name for shard in shards)
        raise UsageError(f"{stack!r} must name one shard, got {names}", next_step="holdfast list")
    return (exact or shards)[0]
