"""Which stacks a project has: each says so itself, with a decorator above its class.

    @service("payments")
    class Payments(ServiceStack):
        def __init__(self, scope: Construct, site: Site, settings: Service) -> None: ...

`settings` is the table [services.payments] of an environment; its annotation says what may stand there, a
`Service`, a `DatabaseService`, or a class of your own that is derived from `Settings`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, TypeVar, get_type_hints

from holdfast_constructs.app.target import check_service_name
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings import Environment, Settings
from holdfast_constructs.settings.tenants import is_per_tenant, with_tenants

if TYPE_CHECKING:
    from holdfast_constructs.app.stack import ServiceStack

StackClass = TypeVar("StackClass", bound="type[ServiceStack]")
Condition = Callable[[Environment], object]

_SERVICE_TAKES = ("self", "scope", "site", "settings")


@dataclass(frozen=True, slots=True)
class Registration:
    """A stack class under the name of its service; `settings` is the type of its table, if it has one.

    With `per_tenant` there is a stack for each tenant in the table, and none for the service itself.
    """

    name: str
    kind: "type[ServiceStack]"
    settings: type[Settings] | None
    condition: Condition
    per_tenant: bool = False

    @property
    def label(self) -> str:
        """The class and its module, for messages."""
        return f"{self.kind.__name__} in {self.kind.__module__}"


_registrations: dict[type, Registration] = {}


@checked
def service(name: str, *, per_tenant: bool = False) -> Callable[[StackClass], StackClass]:
    """Register a stack class as the service `name`; an environment with [services.<name>] gets a stack of it.

    With `per_tenant` it gets one for each tenant in [services.<name>.tenants.<tenant>]: `settings` is then
    the table of the tenant, completed from that of the service, and `site.target` has the tenant.

    Raises ConstructError for a name no service can have, and for a constructor that does not take
    `(scope, site, settings)` with an annotation for `settings`.
    """

    def register(stack: StackClass) -> StackClass:
        def is_present(environment: Environment) -> bool:
            return name in environment.services.present()

        table = _settings_of(stack)
        return _register(name, stack, with_tenants(table) if per_tenant else table, is_present)

    return register


@checked
def shared(name: str, *, when: Condition = lambda _: True) -> Callable[[StackClass], StackClass]:
    """Register a stack class that every environment has for which `when` says so, whatever its services.

    Raises ConstructError for a name no service can have.
    """

    def register(stack: StackClass) -> StackClass:
        return _register(name, stack, None, when)

    return register


def registration_of(stack: "type[ServiceStack]") -> Registration:
    """Return how a stack class is registered; raises ConstructError where it is not."""
    if stack in _registrations:
        return _registrations[stack]
    raise ConstructError(
        f"the stack {stack.__name__} is not registered",
        next_step='write @service("<name>") or @shared("<name>") above its class',
    )


def registrations(package: str) -> Mapping[str, Registration]:
    """Import every module of `package`; return the stacks registered there, by name, shared ones first.

    Raises ConstructError where two have the same name.
    """
    by_name: dict[str, Registration] = {}
    root = import_module(package)
    for module in walk_packages(root.__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for entry in _registrations.values():
        if not entry.kind.__module__.startswith(f"{package}."):
            continue
        if entry.name in by_name:
            raise ConstructError(
                f"two stacks are registered as {entry.name!r}: {by_name[entry.name].label} and {entry.label}",
                next_step="give one of them another name",
            )
        by_name[entry.name] = entry
    return dict(sorted(by_name.items(), key=lambda pair: (pair[1].settings is not None, pair[0])))


def _register(
    name: str, stack: StackClass, settings: type[Settings] | None, condition: Condition
) -> StackClass:
    check_service_name(name)
    _registrations[stack] = Registration(
        name, stack, settings, condition, per_tenant=settings is not None and is_per_tenant(settings)
    )
    return stack


def _settings_of(stack: "type[ServiceStack]") -> type[Settings]:
    signature = inspect.signature(stack.__init__)
    try:
        hints = get_type_hints(stack.__init__)
    except NameError as error:
        raise ConstructError(
            f"an annotation of {stack.__name__} cannot be read: {error}",
            next_step="import the name when the program runs too, not only for type checkers",
        ) from None
    names = list(signature.parameters)
    table = hints.get(names[-1]) if len(names) == len(_SERVICE_TAKES) else None
    if isinstance(table, type) and issubclass(table, Settings):
        return table
    raise ConstructError(
        f"the constructor of the service {stack.__name__}",
        got=f"({', '.join(names)})",
        allowed=f"({', '.join(_SERVICE_TAKES)}) with the type of its table as annotation of `settings`",
        next_step="annotate it with Service, or with a class of your own derived from Settings;"
        " other stacks come from site.stack(…)",
    )
