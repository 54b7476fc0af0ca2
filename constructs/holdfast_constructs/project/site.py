"""A site: one environment in one region, and the stacks there. Every stack gets one.

A stack asks its site for the other stacks it needs, `site.stack(Edge)`; they are built then, so that
what is needed always comes first.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Operations, StateBucket, Target
from holdfast_constructs.checking.callers import asking_line
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.names import boundary_arn
from holdfast_constructs.profiles import closest
from holdfast_constructs.project.registry import Registration, registration_of
from holdfast_constructs.settings import Environment
from holdfast_constructs.settings.explained import explained

Stack = TypeVar("Stack", bound=ServiceStack)


class Site:
    """An environment as a stack in `region` sees it.

    `scope` is the app its stacks are built in, `folder` where the environment's settings were read from.
    """

    def __init__(
        self, scope: Construct, env: Environment, region: str, *, folder: Path = Path("environments")
    ) -> None:
        self.env = env
        self.region = region
        self._scope = scope
        self._folder = folder
        self._built: dict[type[ServiceStack], ServiceStack] = {}
        # Each with the line that asks for it.
        self._building: list[tuple[Registration, str]] = []
        # What stacks do with others once these are there, each with the stack and the line that says so.
        self._later: list[tuple[list[tuple[Registration, str]], Callable[[], object]]] = []

    def build(self, entries: Iterable[Registration]) -> tuple[ServiceStack, ...]:
        """Build those of these stacks that the environment has; return them, each after what it asked for."""
        for entry in entries:
            if entry.condition(self.env):
                self.stack(entry.kind)
        return tuple(self._built.values())

    def stack(self, kind: type[Stack]) -> Stack:
        """Return the stack of this class here; it is built when it is asked for the first time.

        Raises ConstructError for a class that is not registered, a service the environment does not have,
        and stacks that ask for each other.
        """
        if kind not in self._built:
            entry = registration_of(kind)
            place = asking_line()
            self._refuse_cycle(entry, place)
            self._building.append((entry, place))
            self._built[kind] = self._build(entry)
            self._building.pop()
            self._do_later()
        stack = self._built[kind]
        assert isinstance(stack, kind)  # noqa: S101 - a class builds its own instances
        return stack

    def later(self, kind: type[Stack], use: Callable[[Stack], object]) -> None:
        """Call `use` with the stack of this class, as soon as the stacks that are being built are finished.

        Two services that call each other say so this way, because neither can be built before the other:
        `site.later(Billing, lambda billing: self.api.connect_to(billing.api))`. Raises ConstructError as
        `stack` does.
        """
        self._later.append((self._building[-1:], lambda: use(self.stack(kind))))
        self._do_later()

    @property
    def is_home(self) -> bool:
        """Whether this is the first region of the environment."""
        return self.region == self.env.regions[0]

    @property
    def domain(self) -> str:
        """The domain services are reached below; the first region has the plain one."""
        return self.env.domain if self.is_home else f"{self.region}.{self.env.domain}"

    @property
    def cidr(self) -> str:
        """The network of the VPC here."""
        return self.env.cidr(self.region)

    @property
    def certificate_arn(self) -> str | None:
        """The certificate made elsewhere for this region, if there is one and it is wanted."""
        arn = self.env.gateway.certificates.get(self.region)
        return arn if self.env.gateway.tls else None

    @property
    def target(self) -> Target:
        """Where the stacks of this site go."""
        env = self.env
        target = Target(
            environment=env.name,
            account=env.account,
            region=self.region,
            zones=env.zones(self.region),
            state=StateBucket(
                bucket=env.state.bucket,
                region=env.state.region or env.regions[0],
                kms_key_id=env.state.kms_key_id,
            ),
            tags=env.tags,
            owners=env.owners,
            profile=env.profile
            or closest(local=env.local, production=env.production, keeps_data=env.keep_data),
            local=env.local,
            production=env.production,
            delete_protection=env.keep_data,
            role_arn=env.role_arn,
            log_retention_days=env.logs.retention_days,
            project=None if env.project is None else env.project.name,
            operations=Operations(keeping=env.keeping(), health=env.health_overrides()),
        )
        if env.foundation is None or not env.foundation.has_roles:
            return target
        return replace(target, permissions_boundary=boundary_arn(target))

    def _do_later(self) -> None:
        while self._later and not self._building:
            asking, do = self._later.pop(0)
            self._building.extend(asking)
            do()
            self._building.clear()

    def _build(self, entry: Registration) -> ServiceStack:
        create: Callable[..., ServiceStack] = entry.kind
        settings = self.env.running().get(entry.name)
        if entry.settings is None:
            stack = create(self._scope, self)
        elif settings is not None:
            stack = create(self._scope, self, settings)
        else:
            asking = self._building[-2][0].name if len(self._building) > 1 else "a test"
            raise ConstructError(
                f"{asking} asks for the stack {entry.name}, which environment {self.env.name} does not have",
                next_step=f"add [services.{entry.name}] to its settings",
            )
        if stack.service != entry.name:
            raise ConstructError(
                f"{entry.label} is registered as {entry.name!r} and calls itself {stack.service!r}",
                next_step="give super().__init__ the name it is registered with",
            )
        stack.explain_settings(list(explained(self.env, entry.name, self._folder)))
        return stack

    def _refuse_cycle(self, entry: Registration, place: str) -> None:
        begun = [each for each, _ in self._building]
        if entry in begun:
            circle = [*self._building[begun.index(entry) :], (entry, place)]
            asks = [
                f"{asking.name} asks for {asked.name} ({line})"
                for (asking, _), (asked, line) in pairwise(circle)
            ]
            raise ConstructError(
                f"stacks ask for each other in a circle: {', '.join(asks)}",
                next_step="let one of them do without the other, or move what both need into a third;"
                " services that call each other say site.later(…), not site.stack(…)",
            )
