"""What can be said of every kind of task, as one value; the blocks have each as a property of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast_constructs.app.target import Target
from holdfast_constructs.compute._container import Container
from holdfast_constructs.compute._container_rules import DEREGISTRATION_SECONDS
from holdfast_constructs.compute._volumes import Mount, mounts
from holdfast_constructs.compute.container_health import ContainerHealth
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.scale import Size
from holdfast_constructs.compute.sidecar import Sidecar
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.secret_value import SecretValue

Architecture = Literal["X86_64", "ARM64"]

SMALL = Size(256, 512)
# Called `nonroot` in distroless images.
UNPRIVILEGED = "65532"
# Amazon ECS service quotas: containers in a task definition.
MOST_CONTAINERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """The properties that the blocks have in common; `shell` is their `exec`.

    `least_stop_seconds` is the time that requests in flight are given.
    """

    image: Image
    size: Size = SMALL
    port: int | None = None
    environment: Mapping[str, str] | None = None
    secrets: Mapping[str, str | SecretValue] | None = None
    user: str = UNPRIVILEGED
    stop_seconds: int = 60
    least_stop_seconds: int = DEREGISTRATION_SECONDS
    command: Sequence[str] = ()
    entry_point: Sequence[str] = ()
    container_health: ContainerHealth | None = None
    architecture: Architecture = "X86_64"
    sidecars: Sequence[Sidecar] = ()
    writable_paths: Sequence[str] = ()
    shell: bool = False
    spot_share: int = 0

    def check(self, name: str, target: Target) -> None:
        """Raise ConstructError for containers that do not go together, or not into production."""
        for what, words in (("command", self.command), ("entry_point", self.entry_point)):
            if not all(words):
                raise ConstructError(what, got=list(words), allowed="a list of words that are not empty")
        check_spot_share(self.spot_share)
        self._check_images(target)
        self._check_names(name)
        self._check_ports()

    def _check_images(self, target: Target) -> None:
        images = (self.image, *(sidecar.image for sidecar in self.sidecars))
        unpinned = [image for image in images if not image.pinned]
        if target.production and unpinned:
            raise ConstructError(
                f"image in {target.environment}",
                got=unpinned[0].reference,
                allowed="given by digest",
                next_step="a tag can be pushed over; write repository@sha256:<digest>",
            )

    def _check_names(self, name: str) -> None:
        names = [name, *(sidecar.name for sidecar in self.sidecars)]
        if len(names) > MOST_CONTAINERS:
            allowed = (
                f"at most {MOST_CONTAINERS - 1}, because ECS runs {MOST_CONTAINERS} containers in a task"
            )
            raise ConstructError(f"sidecars of {name}", got=len(self.sidecars), allowed=allowed)
        for number, each in enumerate(names):
            if each in names[:number]:
                raise ConstructError(
                    f"two containers of {name} are called {each!r}", next_step="rename the sidecar"
                )

    def _check_ports(self) -> None:
        taken = {} if self.port is None else {self.port: "the main container"}
        for sidecar in self.sidecars:
            if sidecar.port in taken:
                raise ConstructError(
                    f"port {sidecar.port} of sidecar {sidecar.name} is the port of {taken[sidecar.port]}",
                    next_step="let it listen on another port: the containers of a task share their network",
                )
            if sidecar.port is not None:
                taken[sidecar.port] = f"sidecar {sidecar.name}"

    def main(self, name: str, log_group: str, region: str) -> Container:
        """Return the main container."""
        first = [sidecar for sidecar in self.sidecars if sidecar.starts_first]
        return Container(
            name=name,
            image=self.image.reference,
            port=self.port,
            user=self.user,
            stop_seconds=self.stop_seconds,
            least_stop_seconds=self.least_stop_seconds,
            log_group=log_group,
            region=region,
            environment=self.environment or {},
            secrets=self.secrets or {},
            command=self.command,
            entry_point=self.entry_point,
            health=self.container_health,
            mounts=mounts(self.writable_paths, shell=self.shell),
            waits_for={each.name: "HEALTHY" if each.health else "START" for each in first},
        )

    def others(self, log_group: str, region: str) -> Iterator[Container]:
        """Yield the sidecars' containers."""
        for sidecar in self.sidecars:
            yield Container(
                name=sidecar.name,
                image=sidecar.image.reference,
                essential=sidecar.essential,
                port=sidecar.port,
                user=sidecar.user,
                stop_seconds=sidecar.stop_seconds,
                least_stop_seconds=sidecar.stop_seconds,
                log_group=log_group,
                region=region,
                environment=sidecar.environment,
                secrets=sidecar.secrets,
                command=sidecar.command,
                entry_point=sidecar.entry_point,
                health=sidecar.health,
                mounts=self._mounts_of(sidecar),
            )

    def _mounts_of(self, sidecar: Sidecar) -> Sequence[Mount]:
        return mounts(sidecar.writable_paths, shell=self.shell, container=sidecar.name)


def check_spot_share(share: int) -> None:
    """Raise ConstructError for a share of Fargate Spot that is no percentage."""
    if not 0 <= share <= 100:  # noqa: PLR2004 - percent
        raise ConstructError("spot_share", got=share, allowed="0-100, in percent of the tasks")
