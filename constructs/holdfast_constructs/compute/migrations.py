"""What a service has done to its database before a new version of it gets requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.scale import Size
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.secret_value import SecretValue

# A health check takes a day at most.
LONGEST_MINUTES = 1_440


@checked
@dataclass(frozen=True, slots=True)
class Migrations:
    """A task that runs once for each version, and must end with 0 before the service is touched.

    `command` is a program with its arguments: `["python", "manage.py", "migrate"]`. It has the image, the
    variables, the secrets and the connections of the service (except to other services), unless `image`,
    `environment` or `secrets` are given, and may run for `timeout_minutes` (1-1,440). It runs again after a
    deploy that failed, so it must do no harm twice; the version before goes on with the changed database
    until the new one is healthy. A database that it is connected to is in another stack than the service.
    Raises ConstructError for no command.
    """

    command: Sequence[str]
    image: Image | None = field(default=None, kw_only=True)
    size: Size | None = field(default=None, kw_only=True)
    environment: Mapping[str, str] | None = field(default=None, kw_only=True, hash=False)
    secrets: Mapping[str, str | SecretValue] | None = field(
        default=None, kw_only=True, hash=False, repr=False
    )
    timeout_minutes: int = field(default=60, kw_only=True)

    def __post_init__(self) -> None:
        if not self.command or not all(self.command):
            allowed = "a program with its arguments"
            raise ConstructError("command of Migrations", got=list(self.command), allowed=allowed)
        if not 1 <= self.timeout_minutes <= LONGEST_MINUTES:
            raise ConstructError(
                "timeout_minutes of Migrations", got=self.timeout_minutes, allowed=f"1-{LONGEST_MINUTES}"
            )
