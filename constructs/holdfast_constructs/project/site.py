"""A site: one environment in one region, and the stacks there. Every stack gets one.

A stack asks its site for the other stacks it needs, `site.stack(Edge)`; they are built then, so that
what is needed always comes first.
"""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Operations, StateBucket, Target
from holdfast_constructs.checking.callers import asking_line
from holdfast_constructs.edge.domain import Domain, domain_of
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.names import boundary_arn
from holdfast_constructs.profiles import closest
from holdfast_constructs.project.registry import Registration, registration_of
from holdfast_constructs.settings import Environment
from holdfast_constructs.settings.explained import explained
from holdfast_constructs.settings.tenants import KEY

Stack = TypeVar("Stack", bound=ServiceStack)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A stack that is asked for: of a registered class, and for a tenant where it is one per tenant."""

    entry: Registration
    tenant: str | None = None

    @property
    def name(self) -> str:
        """What it is called: `orders`, or `orders-acme`."""
        return self.entry.name if self.tenant is None else f"{self.entry.name}-{self.tenant}"

    @property
    def table(self) -> str:
        """The path of its settings below `services`."""
        return self.entry.name if self.tenant is None else f"{self.entry.name}.{KEY}.{self.tenant}"


class Site:
    """An environment as a stack in `region` sees it.

    `scope` is the app its stacks are built in, `folder` where the environment's settings were read from.
    A stack per tenant gets the site of its `tenant`; the stacks of one site are those of every tenant's.
    """

    tenant: str | None = None

    def __init__(
        self, scope: Construct, env: Environment, region: str, *, folder: Path = Path("environments")
    ) -> None:
        self.env = env
        self.region = region
        self._scope = scope
        self._folder = folder
        self._built: dict[tuple[type[ServiceStack], str | None], ServiceStack] = {}
        # Each with the line that asks for it.
        self._building: list[tuple[_Wanted, str]] = []
        # What stacks do with others once these are there, each with the stack and the line that says so.
        self._later: list[tuple[list[tuple[_Wanted, str]], Callable[[], object]]] = []

    def build(self, entries: Iterable[Registration]) -> tuple[ServiceStack, ...]:
        """Build those of these stacks that the environment has; return them, each after what it asked for."""
        for entry in entries:
            if not entry.condition(self.env):
                continue
            for tenant in self.env.tenants(entry.name) if entry.per_tenant else (None,):
                self.stack(entry.kind, tenant=tenant)
        return tuple(self._built.values())

    def stack(self, kind: type[Stack], *, tenant: str | None = None) -> Stack:
        """Return the stack of this class here; it is built when it is asked for the first time.

        Of a service per tenant it is that of `tenant`, which is the tenant of this site unless given. Raises
        ConstructError for a class that is not registered, a service or tenant the environment does not have,
        and stacks that ask for each other.
        """
        entry = registration_of(kind)
        wanted = _Wanted(entry, self._whose(entry, tenant))
        key = (kind, wanted.tenant)
        if key not in self._built:
            place = asking_line()
            self._refuse_cycle(wanted, place)
            self._building.append((wanted, place))
            self._built[key] = self._build(wanted)
            self._building.pop()
            self._do_later()
        stack = self._built[key]
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
        return self._here(self.env.domain)

    @property
    def further_domains(self) -> tuple[Domain, ...]:
        """The domains of the load balancer besides `domain`, with their certificates here."""
        return tuple(
            Domain(
                name=self._here(each.name),
                zone_id=each.zone_id,
                certificate_arn=each.certificates.get(self.region) if self.env.gateway.tls else None,
            )
            for each in self.env.gateway.domains
        )

    def host(self, name: str) -> str:
        """Return the host that the settings call `name`: `www` and `*` are below `domain`, `@` is the domain.

        A whole name is at or one level below one of the domains. In a further region it is below that
        region's name: shop.example.com is shop.eu-central-1.example.com there.
        """
        full = self.env.full_host(name)
        domain = domain_of(full, self.env.domains())
        return f"{full.removesuffix(domain)}{self._here(domain)}"

    def _here(self, domain: str) -> str:
        return domain if self.is_home else f"{self.region}.{domain}"

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
            tenant=self.tenant,
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

    def _whose(self, entry: Registration, tenant: str | None) -> str | None:
        """Return the tenant whose stack is asked for."""
        whose = self.tenant if tenant is None and entry.per_tenant else tenant
        if entry.per_tenant == (whose is not None):
            return whose
        if entry.per_tenant:
            what, next_step = (
                "has a stack for each tenant",
                f"name one: site.stack({entry.kind.__name__}, tenant=…)",
            )
        else:
            what, next_step = f"is shared by all tenants, and {whose!r} was asked for", "leave tenant=… out"
        raise ConstructError(f"the service {entry.name} {what}", next_step=next_step)

    def _build(self, wanted: "_Wanted") -> ServiceStack:
        entry = wanted.entry
        create: Callable[..., ServiceStack] = entry.kind
        site = copy(self)
        site.tenant = wanted.tenant
        settings = self.env.settings_of(entry.name, wanted.tenant)
        if entry.settings is None:
            stack = create(self._scope, site)
        elif settings is not None:
            stack = create(self._scope, site, settings)
        else:
            asking = self._building[-2][0].name if len(self._building) > 1 else "a test"
            raise ConstructError(
                f"{asking} asks for the stack {wanted.name}, which environment {self.env.name} does not have",
                next_step=f"add [services.{wanted.table}] to its settings",
            )
        self._refuse_strange(wanted, stack)
        stack.explain_settings(list(explained(self.env, entry.name, self._folder, wanted.tenant)))
        return stack

    def _refuse_strange(self, wanted: "_Wanted", stack: ServiceStack) -> None:
        entry = wanted.entry
        if stack.base_service != entry.name:
            raise ConstructError(
                f"{entry.label} is registered as {entry.name!r} and calls itself {stack.base_service!r}",
                next_step="give super().__init__ the name it is registered with",
            )
        if stack.target.tenant != wanted.tenant:
            raise ConstructError(
                f"{entry.label} is for tenant {wanted.tenant!r}, and its target for {stack.target.tenant!r}",
                next_step="give super().__init__ the target of the site: site.target",
            )

    def _refuse_cycle(self, entry: "_Wanted", place: str) -> None:
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
