"""Where the state lies that a `holdfast state` command is about, and how such a command speaks.

From the app where there is one; else, on any machine that may use the bucket, from `--state-bucket` and
`--region`: then the shard is looked for among the states and the backups that lie there.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

import click

from holdfast_orchestrator.cli._options import json_option, mirrored, options, project_option
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.visible import json_text

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import StateLocation
    from holdfast_orchestrator.record.actor import Actor
    from holdfast_orchestrator.state.object_store import DurableStore
    from holdfast_orchestrator.state_admin.restore import StatePlace

F = TypeVar("F", bound=Callable[..., Any])
Cloud = Literal["aws", "local"]

_DEPTH = 4


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A shard whose state may be meant. `protected` are addresses; `project` is the app, where one asks."""

    name: str
    service: str
    environment: str
    location: "StateLocation"
    cloud: Cloud
    project: str = ""
    protected: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class StateSession:
    """One such command's surroundings."""

    runtime: Runtime
    folder: Path
    candidate: Candidate
    json: bool
    redactor: Redactor = field(repr=False)

    @property
    def talk(self) -> TextIO:
        """Where people read: standard output, or standard error where that is for a document."""
        return self.runtime.terminal.err if self.json else self.runtime.terminal.out

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return self.runtime.terminal.is_tty and not self.json

    @property
    def shard(self) -> str:
        """The shard's name."""
        return self.candidate.name

    @cached_property
    def environ(self) -> Mapping[str, str]:
        """The environment that leads to the shard's cloud."""
        return _environ(self.runtime, self.folder, self.candidate.cloud)

    @cached_property
    def place(self) -> "StatePlace":
        """The shard's state."""
        from holdfast_orchestrator.state_admin.restore import StatePlace  # noqa: PLC0415
        from holdfast_orchestrator.terraform.stateful_types import Protection  # noqa: PLC0415 - when it runs

        location = self.candidate.location
        return StatePlace(
            shard=self.shard,
            store=_store(self.runtime, self.folder, location, self.candidate.cloud),
            bucket=location.bucket,
            key=location.key,
            project=self.candidate.project,
            protection=Protection(addresses=self.candidate.protected),
        )

    @cached_property
    def actor(self) -> "Actor":
        """Who is asking."""
        from holdfast_orchestrator.record.actor import aws_caller, find_actor  # noqa: PLC0415

        region = self.candidate.location.region
        return find_actor(
            self.runtime, aws_caller=lambda: aws_caller(self.runtime, region=region, environ=self.environ)
        )

    def say(self, lines: Iterable[str]) -> None:
        """Write lines for people."""
        for line in lines:
            self.talk.write(self.redactor.text(line).rstrip() + "\n")
        self.talk.flush()

    def answer(self, document: Any) -> None:
        """Print the one document of `--json`."""
        _print_json(self.runtime, self.redactor, document)

    def record(self, action: str, *, run: str, outcome: str, output: str) -> None:
        """Write an action into the bucket's audit trail."""
        from holdfast_orchestrator.record.audit.entry import Action  # noqa: PLC0415
        from holdfast_orchestrator.record.audit.trail import AuditTrail  # noqa: PLC0415

        actor = self.actor
        done = Action(
            run=run,
            action=action,
            at=self.runtime.clock.now(),
            actor=actor.name,
            actor_kind=actor.kind,
            host=actor.host,
            link=actor.link,
            aws=actor.aws,
            command=f"holdfast state {action} {shlex.quote(self.shard)}",
            environments=(self.candidate.environment,),
            services=(self.candidate.service,),
            shards=(self.shard,),
            outcome=outcome,
            output=output,
        )
        AuditTrail(self.place.store, clock=self.runtime.clock, redactor=self.redactor).add(done)


def about_a_state(function: F) -> F:
    """Add the shard's name and the options that say where its state is."""
    shared: F = options(
        click.argument("shard"),
        project_option,
        mirrored(
            "--state-bucket",
            metavar="NAME",
            help="Look for the shard in this bucket; needs no app, but --region.",
        ),
        mirrored("--region", metavar="NAME", help="The region of that bucket."),
        mirrored("--kms-key-id", metavar="KEY", help="The key that bucket's states are encrypted with."),
        json_option,
    )(function)
    return shared


@contextmanager
def state_session(runtime: Runtime, given: Mapping[str, Any]) -> Iterator[StateSession]:
    """Find the shard; with `--json`, an error is a document too before it goes on its way."""
    redactor = runtime.redactor
    folder = (runtime.cwd / given["project"]).absolute()
    try:
        yield StateSession(
            runtime=runtime,
            folder=folder,
            candidate=_chosen(_candidates(runtime, folder, given), given["shard"]),
            json=given["as_json"],
            redactor=redactor,
        )
    except HoldfastError as error:
        if given["as_json"]:
            from holdfast_orchestrator.report.documents import error_document  # noqa: PLC0415 - only for one

            _print_json(runtime, redactor, error_document(error))
        raise


def _candidates(runtime: Runtime, folder: Path, given: Mapping[str, Any]) -> Sequence[Candidate]:
    if given["state_bucket"] is not None:
        return list(_in_bucket(runtime, folder, given))
    from holdfast_orchestrator.api.project import Project  # noqa: PLC0415 - not needed for a bucket that is named

    project = Project.load(folder, runtime=runtime)
    return [
        Candidate(
            name=shard.name,
            service=shard.service,
            environment=shard.environment,
            location=shard.state,
            cloud=shard.cloud,
            project=project.file.own_id,
            protected=frozenset(shard.protected),
        )
        for shard in project.list()
    ]


def _in_bucket(runtime: Runtime, folder: Path, given: Mapping[str, Any]) -> Iterator[Candidate]:
    from holdfast_orchestrator.app.manifest import StateLocation  # noqa: PLC0415
    from holdfast_orchestrator.state.backups import BACKUPS  # noqa: PLC0415
    from holdfast_orchestrator.state_key import STATE_FILE  # noqa: PLC0415

    bucket, region = given["state_bucket"], given["region"]
    if region is None:
        raise UsageError(
            "--state-bucket needs --region, the bucket's region",
            next_step=f"--state-bucket {bucket} --region eu-west-1",
        )
    cloud = _cloud_of(runtime, folder, bucket)
    top = StateLocation(bucket=bucket, key="", region=region, kms_key_id=given["kms_key_id"])
    store = _store(runtime, folder, top, cloud)
    for path in sorted({*_paths(store, ""), *_paths(store, f"{BACKUPS}/")}):
        service, _, where, environment = path.split("/")
        yield Candidate(
            name=f"{service}-{environment}-{where}",
            service=service,
            environment=environment,
            location=StateLocation(
                bucket=bucket, key=f"{path}/{STATE_FILE}", region=region, kms_key_id=given["kms_key_id"]
            ),
            cloud=cloud,
        )


def _paths(store: "DurableStore", prefix: str, depth: int = _DEPTH) -> Iterator[str]:
    """The state folders below `prefix`: service, account, region, environment."""
    for name in store.folders(prefix):
        if depth == 1:
            yield name
        elif prefix or not name.startswith("_"):
            yield from (f"{name}/{rest}" for rest in _paths(store, f"{prefix}{name}/", depth - 1))


def _chosen(candidates: Sequence[Candidate], wanted: str) -> Candidate:
    for fits in (
        lambda one: wanted in (one.name, one.location.folder, one.location.key),
        lambda one: wanted == one.service,
    ):
        found = [one for one in candidates if fits(one)]
        if len(found) == 1:
            return found[0]
        if found:
            which = ", ".join(sorted(one.location.folder for one in found))
            raise UsageError(
                f"{wanted!r} may be any of several shards: {which}", next_step="name one of these"
            )
    names = ", ".join(sorted(one.name for one in candidates)) or "none at all"
    raise UsageError(f"there is no shard {wanted!r}; there are: {names}")


def _cloud_of(runtime: Runtime, folder: Path, bucket: str) -> Cloud:
    from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415

    status = LocalCloud(folder, runtime).status()
    return "local" if status.running and bucket in status.state_buckets else "aws"


def _store(runtime: Runtime, folder: Path, location: "StateLocation", cloud: Cloud) -> "DurableStore":
    from holdfast_orchestrator.state.s3 import S3Store  # noqa: PLC0415

    client = runtime.aws.client("s3", region=location.region, environ=_environ(runtime, folder, cloud))
    return S3Store(client, location, cloud=cloud)


def _environ(runtime: Runtime, folder: Path, cloud: Cloud) -> Mapping[str, str]:
    from holdfast_orchestrator.context.tools import RealTools  # noqa: PLC0415

    return RealTools(runtime=runtime, project=folder).environ(cloud)


def _print_json(runtime: Runtime, redactor: Redactor, document: Any) -> None:
    from holdfast_orchestrator.report.documents import as_json  # noqa: PLC0415

    text = json_text(redactor.value(as_json(document)), indent=2)
    runtime.terminal.out.write(f"{text}\n")
    runtime.terminal.out.flush()
