"""Make what an account needs before its first deploy: `holdfast bootstrap`.

foundation = Foundation.of(Project.load("."), env="prod")
preview = foundation.look()                  # changes nothing
run = foundation.carry_out(preview)
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.api.options import DeployOptions, RunOptions
from holdfast_orchestrator.api.project import Project
from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.app.selection import select
from holdfast_orchestrator.bootstrap.bucket import SERVICE, BucketPlace, Sight, Standing, StateBucketSetup
from holdfast_orchestrator.bootstrap.preview import BootstrapPreview
from holdfast_orchestrator.bootstrap.providers import foreign_providers
from holdfast_orchestrator.doctor.places import environments
from holdfast_orchestrator.errors import GateError, SettingsError, UsageError
from holdfast_orchestrator.events import Listener, ignore
from holdfast_orchestrator.system.stop import StopSignal

if TYPE_CHECKING:
    # The modules that plan and deploy take long to import, so each is imported where it is used.
    from holdfast_orchestrator.deploy.decisions.reversibility import Approval
    from holdfast_orchestrator.deploy.outcome import RunResult
    from holdfast_orchestrator.deploy.run_context import DeployPolicy
    from holdfast_orchestrator.plan.result import Plan

__all__ = ["BootstrapPreview", "Foundation"]

_VARIABLE = "HOLDFAST_FOUNDATION"
_OUTPUT = Path(".holdfast") / "foundation"
# A state that manages nothing: what a bucket holds that does not exist yet.
_EMPTY_STATE = {
    "version": 4,
    "terraform_version": "1.10.0",
    "serial": 0,
    "lineage": "00000000-0000-0000-0000-000000000000",
    "outputs": {},
    "resources": [],
}
_WITHOUT_STATE = frozenset({Standing.ABSENT, Standing.BARE})
_VERSIONING = "aws_s3_bucket_versioning"


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """The foundation of one environment: the stack that the app synthesizes for it, and its bucket."""

    project: Project
    manifest: Manifest
    shard: Shard
    bucket: StateBucketSetup = field(repr=False)
    place: BucketPlace

    @classmethod
    def of(cls, project: Project, env: str, *, on_event: Listener = ignore) -> "Foundation":
        """Synthesize the foundation of environment `env`.

        Raises SettingsError for an environment without [foundation], and for an app that has no foundations
        because it is not built on Holdfast's blocks.
        """
        file = project.file
        project = replace(
            project,
            # Its records are those of another app: the stacks of this one are not missing in it.
            file=replace(file, output=file.folder / _OUTPUT, id=f"{file.id}-{SERVICE}"),
        )
        project = project.with_environ(
            {_VARIABLE: json.dumps({"foreign_providers": _foreign_providers(project, env, on_event)})}
        )
        manifest = project.synth(env=env, on_event=on_event)
        shards = [shard for shard in manifest.shards if shard.service == SERVICE]
        if len(shards) != 1 or len(manifest.shards) != 1:
            raise SettingsError(
                f"the app {file.app!r} synthesized no foundation: it does not end with `main` of "
                "holdfast_constructs.project",
                next_step="create the state bucket as docs/state-bucket.md says, or begin with holdfast init",
            )
        (shard,) = shards
        place = _place_of(shard)
        client = _s3(project, shard)
        return cls(
            project=project,
            manifest=manifest,
            shard=shard,
            bucket=StateBucketSetup(client, place),
            place=place,
        )

    def look(
        self,
        *,
        adopt_bucket: str | None = None,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
    ) -> BootstrapPreview:
        """Return what a bootstrap would do; changes nothing.

        `adopt_bucket` names a bucket that exists and that nothing proves to be the foundation's. Raises
        GateError for a bucket that is somebody else's, and as `Project.plan` does.
        """
        sight = self.bucket.look()
        self.bucket.refuse_unnamed(sight, adopt_bucket)
        plan = self._plan(sight, on_event=on_event, stop=stop)
        return BootstrapPreview(place=self.place, sight=sight, plan=plan)

    def carry_out(
        self,
        options: DeployOptions = DeployOptions(),  # noqa: B008 - frozen
        *,
        shown: BootstrapPreview | None = None,
        adopt_bucket: str | None = None,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
    ) -> "RunResult":
        """Set the bucket up and deploy the stack; the same again completes what was interrupted.

        The bucket is looked at once more. With `shown`, of `look`, exactly that plan is applied, except where
        there was no bucket for a state then. Raises as `look` and `Project.deploy` do.
        """
        sight = self.bucket.look()
        self.bucket.refuse_unnamed(sight, adopt_bucket)
        self.bucket.set_up(sight, self.project.teller(on_event))
        policy = _policy_of(options)
        policy = replace(
            policy,
            adopt=policy.adopt | self._existing(),
            approvals=(*policy.approvals, *self._agreed()),
        )
        planned = None if shown is None or shown.sight.standing in _WITHOUT_STATE else shown.plan
        return self.project.deploy(
            planned or select(env=self.shard.environment),
            replace(options, policy=policy),
            manifest=self.manifest,
            on_event=on_event,
            stop=stop,
        )

    def destroy(
        self,
        options: RunOptions = RunOptions(),  # noqa: B008 - frozen
        *,
        on_event: Listener = ignore,
        stop: StopSignal | None = None,
    ) -> "RunResult | None":
        """Take the stack down, then remove the bucket with everything in it; None where it is gone already.

        Raises GateError while another state of the bucket manages something, for a bucket that is not proved
        to be the foundation's, and outside of the local cloud unless `options.policy` allows to lose it by
        its name.
        """
        from holdfast_orchestrator.bootstrap.removal import refuse_used, remove  # noqa: PLC0415 - rarely needed
        from holdfast_orchestrator.terraform.json_values import blocks  # noqa: PLC0415

        sight = self.bucket.look()
        if sight.standing is Standing.ABSENT:
            return None
        if sight.standing is not Standing.OURS:
            raise GateError(
                f"the bucket {self.place.bucket!r} was not made by this foundation; nothing was taken down",
                next_step="leave it, or delete it yourself once you know that nothing needs it",
            )
        allowed = _policy_of(options).allowed
        if self.shard.cloud != "local" and self.place.bucket not in allowed:
            raise GateError(
                f"the state bucket {self.place.bucket!r} would be removed with every record in it, and "
                "it was not named; nothing was taken down",
                next_step=f"holdfast … --allow-destroy {self.place.bucket}",
            )
        refuse_used(self.project.store(self.shard), self.place, own_key=self.shard.state.key)
        policy = _policy_of(options)
        emptied = self._emptied()
        if self.shard.cloud == "local":
            policy = replace(
                policy,
                allowed=policy.allowed
                | {
                    f"{kind}.{name}"
                    for kind, name, _ in blocks(json.loads(self.shard.configuration), "resource")
                },
            )
        result = self.project.deploy(
            select(env=self.shard.environment),
            DeployOptions(policy=policy, command=options.command),
            manifest=Manifest((emptied,)),
            on_event=on_event,
            stop=stop,
        )
        if result.exit_code == 0:
            remove(_s3(self.project, self.shard), self.place)
            self.project.teller(on_event)(f"state bucket {self.place.bucket}: removed")
        return result

    def _emptied(self) -> Shard:
        """Return the stack with nothing in it: the bucket's settings are let go of, and all else is deleted.

        They go with the bucket. Until then it stays closed and versioned, and holds the state of this deploy.
        """
        document = json.loads(self.shard.configuration)
        settings = self._addresses(document.get("resource", {}))
        for section in ("resource", "data", "output"):
            document.pop(section, None)
        document["removed"] = [
            {"from": address, "lifecycle": {"destroy": False}} for address in sorted(settings)
        ]
        return replace(
            self.shard, configuration=json.dumps(document).encode(), protected=(), health_checks=()
        )

    def _plan(self, sight: Sight, *, on_event: Listener, stop: StopSignal | None) -> "Plan":
        from holdfast_orchestrator.plan.result import Plan  # noqa: PLC0415 - only with Terraform
        from holdfast_orchestrator.preview.refusals import Agreed  # noqa: PLC0415
        from holdfast_orchestrator.preview.run import PlanRequest, plan_run  # noqa: PLC0415
        from holdfast_orchestrator.state_admin.preview import preview  # noqa: PLC0415

        with self.project.warmed(env=self.shard.environment, on_event=on_event) as here:
            run = here.run(self.manifest, on_event=on_event, stop=stop)
            # A plan takes Terraform's lock, and a dry run leaves nothing in a bucket that is not ours yet.
            if sight.standing in _WITHOUT_STATE:
                planned = preview(self.shard, json.dumps(_EMPTY_STATE).encode(), run)
                return Plan(run=run.id, shards=(planned,), environments=(self.shard.environment,))
            request = PlanRequest(
                shards=(self.shard,),
                max_parallel=1,
                refresh=True,
                agreed=Agreed(adopt=self._existing(), approvals=self._agreed()),
            )
            return plan_run(run, request)

    def _agreed(self) -> "tuple[Approval, ...]":
        """Return what needs no question: a state bucket keeps versions, which can only be suspended again."""
        from holdfast_orchestrator.deploy.decisions.reversibility import Approval  # noqa: PLC0415

        return tuple(Approval(address, None) for address in sorted(self._addresses({_VERSIONING})))

    def _existing(self) -> frozenset[str]:
        """Return the addresses of the settings that the bucket has already: they are imported."""
        return self._addresses(self.bucket.settings())

    def _addresses(self, kinds: Collection[str]) -> frozenset[str]:
        """Return the addresses of the state bucket's settings of these types."""
        resources: Mapping[str, Any] = json.loads(self.shard.configuration).get("resource", {})
        return frozenset(
            f"{kind}.{name}"
            for kind in kinds
            for name, block in resources.get(kind, {}).items()
            if block.get("bucket") == self.place.bucket
        )


def one_environment(project: Project, names: Sequence[str]) -> str:
    """Return the one environment that is named; raises UsageError for none and for several."""
    if len(names) == 1:
        return names[0]
    there = [place.name for place in environments(project.file.folder, names)]
    if names:
        raise UsageError(
            f"bootstrap is about one environment, got {', '.join(names)}", next_step="give one --env alone"
        )
    raise UsageError(
        f"bootstrap is about one environment, got none; there are: {', '.join(there) or 'none'}",
        next_step=f"holdfast … --env {there[0]}" if there else "holdfast new env prod",
    )


def _foreign_providers(project: Project, env: str, on_event: Listener) -> list[str]:
    """Return the hosts of identity providers that the account has and this foundation did not make."""
    for place in environments(project.file.folder, [env]):
        if place.has_foundation and place.account is not None:
            bucket = BucketPlace(
                bucket=place.bucket or "",
                region=place.region,
                account=place.account,
                environment=place.name,
                project=place.project,
            )
            iam = project.client("iam", region=place.region, cloud="local" if place.local else "aws")
            providers = foreign_providers(iam, bucket.proof)
            for each in providers:
                audiences = ", ".join(each.audiences) or "nobody"
                project.teller(on_event)(
                    f"the account has the identity provider {each.host}, for {audiences}, which this "
                    "foundation did not make: it is used as it is"
                )
            return [each.host for each in providers]
    return []


def _policy_of(options: RunOptions) -> "DeployPolicy":
    from holdfast_orchestrator.deploy.run_context import DeployPolicy  # noqa: PLC0415 - only with Terraform

    return options.policy or DeployPolicy()


def _s3(project: Project, shard: Shard) -> Any:
    return project.client("s3", region=shard.state.region, cloud=shard.cloud)


def _place_of(shard: Shard) -> BucketPlace:
    owner = shard.state.key.partition("/")[0].rpartition(".")[0]
    return BucketPlace(
        bucket=shard.state.bucket,
        region=shard.state.region,
        account=shard.account,
        environment=shard.environment,
        project=owner or None,
    )
