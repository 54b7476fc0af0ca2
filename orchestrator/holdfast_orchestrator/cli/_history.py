"""What the commands about the past share: which buckets to read, how to print.

The buckets are those of the app's shards, or, on a machine with nothing but credentials, the one named by
`--state-bucket` and `--region`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from holdfast_orchestrator.cli._options import env_option, json_option, mirrored, options, project_option
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.visible import json_text

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import StateLocation
    from holdfast_orchestrator.events import Event, Listener
    from holdfast_orchestrator.report.documents import Document
    from holdfast_orchestrator.state.s3 import S3Store

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """One state bucket."""

    bucket: str
    store: "S3Store"


@dataclass(frozen=True, kw_only=True)
class History:
    """One such command's surroundings."""

    runtime: Runtime
    places: tuple[Place, ...]
    json: bool
    redactor: Redactor = field(repr=False)

    def say(self, lines: Iterable[str]) -> None:
        """Write lines for people."""
        for line in lines:
            self.runtime.terminal.out.write(self.redactor.text(line) + "\n")

    def answer(self, document: "Document") -> None:
        """Print the one document of `--json`."""
        from holdfast_orchestrator.report.documents import as_json  # noqa: PLC0415 - only for one

        text = json_text(self.redactor.value(as_json(document)), indent=2)
        self.runtime.terminal.out.write(f"{text}\n")


def reading(function: F) -> F:
    """Add the options that say where to read."""
    shared: F = options(
        env_option,
        project_option,
        mirrored("--state-bucket", metavar="NAME", help="Read this bucket, without an app; needs --region."),
        mirrored("--region", metavar="NAME", help="The region of that bucket."),
        json_option,
    )(function)
    return shared


@contextmanager
def history(runtime: Runtime, given: Mapping[str, Any]) -> Iterator[History]:
    """Open the buckets; with `--json`, an error is a document too before it goes on its way."""
    redactor = runtime.redactor
    try:
        yield History(
            runtime=runtime, places=_places(runtime, given), json=given["as_json"], redactor=redactor
        )
    except HoldfastError as error:
        if given["as_json"]:
            from holdfast_orchestrator.report.documents import as_json, error_document  # noqa: PLC0415

            document = redactor.value(as_json(error_document(error)))
            runtime.terminal.out.write(json_text(document, indent=2) + "\n")
        raise


def table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows in columns as wide as they need; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _places(runtime: Runtime, given: Mapping[str, Any]) -> tuple[Place, ...]:
    folder = (runtime.cwd / given["project"]).absolute()
    if given["state_bucket"] is not None:
        return (_named(runtime, folder, bucket=given["state_bucket"], region=given["region"]),)
    from holdfast_orchestrator.api.project import Project  # noqa: PLC0415 - not needed for a bucket that is named

    found: dict[str, Place] = {}
    project = Project.load(folder, runtime=runtime)
    for shard in project.recorded(env=given["env"], on_event=_notices(runtime)):
        if shard.state.bucket not in found:
            found[shard.state.bucket] = _place(runtime, folder, shard.state, shard.cloud)
    return tuple(found.values())


def _notices(runtime: Runtime) -> "Listener":
    from holdfast_orchestrator.events import Notice  # noqa: PLC0415 - not needed for a bucket that is named

    def tell(event: "Event") -> None:
        if isinstance(event, Notice):
            runtime.terminal.err.write(f"{runtime.redactor.text(event.message)}\n")

    return tell


def _named(runtime: Runtime, folder: Path, *, bucket: str, region: str | None) -> Place:
    if region is None:
        raise UsageError(
            "--state-bucket needs --region, the bucket's region",
            next_step=f"--state-bucket {bucket} --region eu-west-1",
        )
    from holdfast_orchestrator.app.manifest import StateLocation  # noqa: PLC0415
    from holdfast_orchestrator.local.cloud import LocalCloud  # noqa: PLC0415

    status = LocalCloud(folder, runtime).status()
    cloud: Literal["aws", "local"] = "local" if status.running and bucket in status.state_buckets else "aws"
    return _place(runtime, folder, StateLocation(bucket=bucket, key="", region=region), cloud)


def _place(
    runtime: Runtime, folder: Path, location: "StateLocation", cloud: Literal["aws", "local"]
) -> Place:
    from holdfast_orchestrator.context.tools import RealTools  # noqa: PLC0415
    from holdfast_orchestrator.state.s3 import S3Store  # noqa: PLC0415

    environ = RealTools(runtime=runtime, project=folder).environ(cloud)
    client = runtime.aws.client("s3", region=location.region, environ=environ)
    return Place(location.bucket, S3Store(client, location, cloud=cloud))
