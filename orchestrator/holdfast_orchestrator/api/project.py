"""The automation API: a program can do and watch everything that the command line does.

    project = Project.load(".")
    plan = project.plan(select(env="staging"))
    if not plan.destroys:
        run = project.deploy(plan, on_event=print)
        run.outcome["storefront"]           # Outcome.COMMITTED
        run.results["storefront"].reason    # why, where it is not committed

All results are frozen. The failure of a shard is a result; an error that makes the whole run impossible
(wrong settings, a missing bucket) is raised as a HoldfastError.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

from holdfast_orchestrator.api.keywords import (
    DeployKeywords,
    DestroyKeywords,
    PlanKeywords,
    SelectionKeywords,
    optioned,
    refuse_both,
    selected,
)
from holdfast_orchestrator.api.move import MovingApp
from holdfast_orchestrator.api.options import DeployOptions, PlanOptions, RunOptions
from holdfast_orchestrator.app.manifest import Manifest, Shard, by_bucket
from holdfast_orchestrator.app.selection import EVERYTHING, Names, Selection, names_of, select
from holdfast_orchestrator.context.tools import RealTools
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.events import Listener, Notice, ignore
from holdfast_orchestrator.system.runtime import load_ahead
from holdfast_orchestrator.system.stop import StopSignal

if TYPE_CHECKING:
    # The modules that plan and deploy take long to import, so each is imported where it is used.
    from holdfast_orchestrator.advice.facts import Advice
    from holdfast_orchestrator.context.run import Run
    from holdfast_orchestrator.deploy.outcome import RunResult
    from holdfast_orchestrator.deploy.run_context import DeployPolicy
    from holdfast_orchestrator.deploy.work.task import OperatorDecision
    from holdfast_orchestrator.executor.address import Cluster
    from holdfast_orchestrator.executor.dask_cluster import DaskCrew
    from holdfast_orchestrator.plan.result import Plan


_PLAN, _RUN, _DEPLOY = PlanOptions(), RunOptions(), DeployOptions()


@dataclass(frozen=True, kw_only=True)
class Project(MovingApp):
    """A cdktf app and the runtime in which it is deployed."""

    def advise(
        self,
        selection: Selection = EVERYTHING,
        *,
        on_event: Listener = ignore,
        **keywords: Unpack[SelectionKeywords],
    ) -> "Advice":
        """Return which of the chosen shards to split or to merge. Changes nothing.

        Raises StateBucketError if a state bucket is missing, NeedsPersonError for a damaged state.
        """
        from holdfast_orchestrator.advice.reading import Reader  # noqa: PLC0415 - rarely asked for
        from holdfast_orchestrator.system.secret_places import secrets_in_configuration  # noqa: PLC0415

        manifest, shards = self._chosen(selected(selection, keywords), on_event=on_event)
        for shard in shards:
            self.redactor.learn([*secrets_in_configuration(shard.configuration)])
        return Reader(manifest=manifest, tools=self._tools, now=self.runtime.clock.now()).advice(shards)

    def plan(
        self,
        selection: Selection = EVERYTHING,
        options: PlanOptions = _PLAN,
        *,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
        **keywords: Unpack[PlanKeywords],
    ) -> "Plan":
        """Synthesize and plan. The answer has shards that fail or wait for another's first deploy, too.

        Selection and options may be given by the names of their fields: `plan(env="staging", refresh=True)`.

        The answer also says why a deploy would be refused, unless `options.agreed` allows it. Raises
        StateBucketError if a state bucket is missing, GateError if the records of a shard belong neither to
        this app nor to `options.take_over_app`, and UsageError for a selection that matches nothing (with
        `one_environment`, also for one that spans environments without naming them).
        """
        from holdfast_orchestrator.preview.refusals import Agreed  # noqa: PLC0415 - only with Terraform
        from holdfast_orchestrator.preview.run import PlanRequest, plan_run  # noqa: PLC0415 - only with Terraform

        selection, options = selected(selection, keywords), optioned(options, keywords)
        self.refuse_early(selection)
        env = selection.environments
        with self.warmed(env=env, on_event=on_event) as here:
            manifest = here.synth(env=env, on_event=on_event)
            request = PlanRequest(
                shards=self._choose(selection, manifest),
                max_parallel=options.max_parallel or here.shards_at_once,
                per_account=options.max_parallel_per_account,
                refresh=options.refresh,
                explain=options.explain,
                take_over_app=options.take_over_app,
                agreed=options.agreed or Agreed(),
            )
            return plan_run(here.run(manifest, on_event=on_event, stop=stop), request)

    def deploy(
        self,
        plan: "Plan | Selection | None" = None,
        options: DeployOptions = _DEPLOY,
        *,
        manifest: Manifest | None = None,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
        **keywords: Unpack[DeployKeywords],
    ) -> "RunResult":
        """Synthesize, then plan, gate, back up and apply shard by shard.

        Selection and options may be given by the names of their fields: `deploy(env="prod", atomic=True)`.

        Given a plan (of `Project.plan`), deploy applies exactly that plan, and raises GateError if the app or
        a state has changed since. With `manifest` (of `Project.synth`) the app is not synthesized again.
        Raises UsageError for a selection that spans environments without naming them, and with
        `options.executor` as `executor.dask_cluster.joined` does.
        """
        from holdfast_orchestrator.api.outputs import SIMULATED, simulates_tasks, with_outputs  # noqa: PLC0415 - only with Terraform

        options = optioned(options, keywords)
        if plan is None or isinstance(plan, Selection):
            chosen = replace(selected(plan or EVERYTHING, keywords), one_environment=True)
            if manifest is None:
                self.refuse_early(chosen)
            what: Plan | Selection = chosen
        else:
            refuse_both(keywords)
            what = plan
        with self._with_crew(options.executor, env=what.environments, on_event=on_event) as (here, crew):
            if manifest is None and not isinstance(what, Selection):
                manifest = what.manifest
            manifest = manifest or self.synth(env=what.environments, on_event=on_event)
            run = here.run(manifest, on_event=on_event, stop=stop)
            if isinstance(what, Selection):
                shards = self._choose(what, manifest)
            else:
                shards = self._as_planned(what, manifest)
            if crew is not None:
                self._refuse_local(shards)
            if any(map(simulates_tasks, shards)):
                run.emit(Notice(message=SIMULATED))
            result = _carried_out(
                run,
                options,
                crew=crew,
                shards=shards,
                max_parallel=options.max_parallel or (here.shards_at_once if crew is None else crew.hands),
                shown=None if isinstance(what, Selection) else what,
                atomic=options.atomic,
                refresh=options.refresh,
            )
            return with_outputs(result, shards, self._tools)

    def destroy(
        self,
        selection: Selection = EVERYTHING,
        options: RunOptions = _RUN,
        *,
        manifest: Manifest | None = None,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
        **keywords: Unpack[DestroyKeywords],
    ) -> "RunResult":
        """Take down exactly the shards chosen, dependents first.

        Selection and options may be given by the names of their fields; `retired` calls `destroy_retired`.

        Raises UsageError if an unchosen shard depends on a chosen one, and for a selection that spans
        environments without naming them, GateError for a protected object whose loss the policy does not
        allow: nothing is taken down then.
        """
        retired = keywords.pop("retired", None)
        selection, options = selected(selection, keywords), optioned(options, keywords)
        if retired is not None:
            return self.destroy_retired(retired, options, manifest=manifest, on_event=on_event, stop=stop)
        if manifest is None:
            self.refuse_early(replace(selection, one_environment=True))
        env = selection.environments
        with self.warmed(env=env, on_event=on_event) as here:
            manifest = manifest or here.synth(env=env, on_event=on_event)
            shards = self._choose(replace(selection, one_environment=True), manifest)
            return _carried_out(
                here.run(manifest, on_event=on_event, stop=stop),
                options,
                shards=shards,
                max_parallel=options.max_parallel or here.shards_at_once,
                destroy=True,
            )

    def protected_objects(
        self, shards: Sequence[Shard], allowed: Collection[str] = ()
    ) -> Mapping[str, tuple[str, ...]]:
        """Return for each of these shards the addresses that have to be named before a destroy.

        Those that `allowed` names already are left out.
        """
        from holdfast_orchestrator.gate.destroys import protected_objects  # noqa: PLC0415 - only with states

        return protected_objects(self._tools, shards, allowed)

    def destroy_retired(
        self,
        name: str,
        options: RunOptions = _RUN,
        *,
        manifest: Manifest | None = None,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
    ) -> "RunResult":
        """Take down a stack that is no longer in the app, as it was last deployed.

        Raises UsageError if there is no such stack, or another retired stack still needs it.
        """
        from holdfast_orchestrator.deploy.resume import known_shards  # noqa: PLC0415 - rarely needed

        manifest = manifest or self.synth(on_event=on_event)
        shard = self.retired_shard(name, manifest)
        with self.warmed(env=shard.environment, on_event=on_event) as here:
            run = here.run(known_shards((shard,), manifest.shards), on_event=on_event, stop=stop)
            return _carried_out(run, options, shards=(shard,), max_parallel=1, destroy=True)

    def retired_shard(self, name: str, manifest: Manifest) -> Shard:
        """Return a shard that left the app, as it was last deployed. Raises as `destroy_retired` does."""
        from holdfast_orchestrator.change_detection import retired  # noqa: PLC0415 - rarely needed

        stack = retired.chosen(name, retired.find_retired(self.run(manifest)))
        return retired.as_deployed(stack, self._tools.store(stack.shard))

    def rollback(
        self,
        stack: str,
        *,
        to: str | None = None,
        env: Names = (),
        policy: "DeployPolicy | None" = None,
        command: str = "",
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
    ) -> "RunResult":
        """Apply an earlier good deployment of one shard again (`to`: its run; none: the one before).

        A permanent loss blocks the rollback, as it blocks any deploy. Raises UsageError if `stack` does not
        name exactly one shard.
        """
        from holdfast_orchestrator.deploy.resume import known_shards  # noqa: PLC0415
        from holdfast_orchestrator.deploy.shard.intent import RollbackTarget  # noqa: PLC0415 - rarely needed

        app = self.list(select(env=env), on_event=on_event)
        shards = select(stack=stack).of(Manifest(app)) if app else ()
        if len(shards) != 1:
            names = ", ".join(shard.name for shard in shards) or "none"
            raise UsageError(f"{stack!r} must name one shard, got {names}", next_step="holdfast list")
        with self.warmed(env=env, on_event=on_event) as here:
            run = here.run(known_shards(shards, app), on_event=on_event, stop=stop)
            options = RunOptions(policy=policy, command=command)
            return _carried_out(run, options, shards=shards, max_parallel=1, back=RollbackTarget(to))

    def resume(
        self,
        run: str,
        *,
        env: Names = (),
        decision: "OperatorDecision | None" = None,
        command: str = "",
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
    ) -> "RunResult":
        """Complete a run whose process died, or that waits for a person.

        The run is looked for in the buckets of these environments (none: all). Raises UsageError if `run`
        cannot be the name of a run, or none of the buckets has it.
        """
        from holdfast_orchestrator.deploy import resume  # noqa: PLC0415 - rarely needed
        from holdfast_orchestrator.deploy.work.task import OperatorDecision  # noqa: PLC0415
        from holdfast_orchestrator.record.runs import checked_run  # noqa: PLC0415
        from holdfast_orchestrator.report.transcript import Transcript  # noqa: PLC0415

        run = checked_run(run)
        app = self.recorded(env=env, on_event=on_event)
        stores = [self._tools.store(first) for first, *_ in by_bucket(app)]
        shards = resume.shards_of_run(run, app, stores)
        manifest = resume.known_shards(shards, app)
        environments = sorted({shard.environment for shard in shards})
        with self.warmed(env=environments, on_event=on_event) as here:
            resumed = replace(here.run(manifest, on_event=on_event, stop=stop), id=run)
            decision = decision or OperatorDecision()
            request = resume.ResumeRequest(run=run, decision=decision, command=command)
            return resume.take_up_run(request, resumed, shards, Transcript)

    @contextmanager
    def warmed(self, *, env: Names = (), on_event: Listener = ignore) -> "Iterator[Project]":
        """Start providers that Terraform's commands share while inside; yields the project that uses them.

        `plan` and `deploy` do this themselves; use it around several of them, to start providers once. If
        providers cannot be shared, every command starts its own.
        """
        from holdfast_orchestrator.context.warm_up import warmed_tools  # noqa: PLC0415 - only with Terraform

        load_ahead(self.runtime.aws)
        if self.tools is not None or self.options.cold_providers:
            yield self
            return
        tell = self.teller(on_event)
        with warmed_tools(self._real_tools, environments=names_of(env), tell=tell) as tools:
            yield replace(self, tools=tools)

    @contextmanager
    def _with_crew(
        self, executor: "str | Cluster | None", *, env: Names, on_event: Listener
    ) -> "Iterator[tuple[Project, DaskCrew | None]]":
        """Yield the project with warm providers, or the project as it is and the cluster that deploys."""
        if executor is None:
            with self.warmed(env=env, on_event=on_event) as here:
                yield here, None
            return
        from holdfast_orchestrator.executor.address import Cluster, open_to_all  # noqa: PLC0415
        from holdfast_orchestrator.executor.dask_cluster import joined  # noqa: PLC0415 - only with a cluster
        from holdfast_orchestrator.executor.job import ProjectSettings  # noqa: PLC0415

        project_settings = ProjectSettings.of(
            self.file, engine=self.options.engine, cold_providers=self.options.cold_providers
        )
        cluster = Cluster(address=executor) if isinstance(executor, str) else executor
        if cluster.is_open and cluster.insecure:
            self.teller(on_event)(open_to_all(cluster))
        with joined(cluster, project_settings) as crew:
            yield self, crew

    def _refuse_local(self, shards: Iterable[Shard]) -> None:
        """Raise UsageError for shards of the local cloud, which other machines cannot reach."""
        local = [shard.name for shard in shards if shard.cloud == "local"]
        if local and not self.runtime.environ.get("AWS_ENDPOINT_URL"):
            raise UsageError(
                f"the local cloud is this machine's alone, so no executor can deploy {', '.join(local)}",
                next_step="deploy without --executor, or set AWS_ENDPOINT_URL here and on the workers",
            )

    @property
    def shards_at_once(self) -> int:
        """How many shards are planned or deployed at once by default."""
        from holdfast_orchestrator.system.capacity import default_parallel  # noqa: PLC0415 - only with Terraform

        return default_parallel(warm=isinstance(self.tools, RealTools) and self.tools.warm is not None)

    def _as_planned(self, plan: "Plan", manifest: Manifest) -> tuple[Shard, ...]:
        from holdfast_orchestrator.change_detection.upstream import Upstreams  # noqa: PLC0415
        from holdfast_orchestrator.plan.saved import refuse_stale  # noqa: PLC0415 - only with Terraform
        from holdfast_orchestrator.state.snapshot import read_snapshot  # noqa: PLC0415

        upstreams = Upstreams(manifest=manifest, tools=self._tools)
        for planned in plan.shards:
            shard = manifest.by_name.get(planned.shard)
            if shard is None:
                raise UsageError(f"the app has no stack {planned.shard!r} any more, which was planned")
            snapshot = read_snapshot(self._tools.store(shard), shard.state.key)
            refuse_stale(planned, shard, snapshot, upstreams.digests(shard))
        return tuple(shard for shard in manifest.shards if shard.name in plan.by_name)


def _carried_out(
    run: "Run", options: RunOptions, *, crew: "DaskCrew | None" = None, **order: Any
) -> "RunResult":
    """Carry out an Order with these options and fields."""
    from holdfast_orchestrator.deploy.order import Order  # noqa: PLC0415
    from holdfast_orchestrator.deploy.run import carry_out  # noqa: PLC0415
    from holdfast_orchestrator.deploy.run_context import DeployPolicy  # noqa: PLC0415 - only with Terraform
    from holdfast_orchestrator.report.transcript import Transcript  # noqa: PLC0415 - only with Terraform

    policy = options.policy or DeployPolicy()
    if order.get("atomic", False):
        policy = replace(policy, together=True)
    wanted = Order(
        policy=policy,
        per_account=options.max_parallel_per_account,
        command=options.command,
        transcribe=Transcript,
        **order,
    )
    return carry_out(wanted, run, crew)
