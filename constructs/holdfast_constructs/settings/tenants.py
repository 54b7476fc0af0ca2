"""Services that each tenant has for itself: the tables [services.<service>.tenants.<tenant>].

A tenant's table has what differs from the table of the service. Both are put together before they are
validated, so a tenant's settings are of the same type as the service's, complete, and held by the same rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, create_model

from holdfast_constructs.app.target import LONGEST_TENANT, RESERVED_TENANTS, TENANT_RULE, is_tenant_name
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.problems import Fault
from holdfast_constructs.settings.values import Table, empty_table, refused

KEY = "tenants"
Path = tuple[str | int, ...]


def _tenant_name(name: str) -> str:
    if not is_tenant_name(name):
        reserved = ", ".join(sorted(RESERVED_TENANTS))
        next_step = "choose another name for the tenant"
        what = "has a name that no tenant can have"
        raise refused(what, allowed=f"{TENANT_RULE}, and none of {reserved}", next_step=next_step)
    return name


TenantName = Annotated[
    str,
    AfterValidator(_tenant_name),
    Field(description=f"a tenant's name: {TENANT_RULE}", max_length=LONGEST_TENANT),
]

_tables: set[type[Settings]] = set()


@cache
def with_tenants(table: type[Settings]) -> type[Settings]:
    """Return the type of the table of a service per tenant, whose tenants' tables are of the type `table`.

    Raises ConstructError where `table` has a setting `tenants` of its own.
    """
    if KEY in table.__pydantic_fields__:
        raise ConstructError(
            f"{table.__name__} has a setting {KEY!r}, which is where the tenants of a service are",
            next_step="rename the setting",
        )
    # For mypy, a type that a function gets is not one that an annotation may have.
    generic: Any = Table
    about = "What each tenant has differently, by its name."
    tenants: Any = (generic[TenantName, table], Field(default_factory=empty_table, description=about))
    made = create_model(f"{table.__name__}PerTenant", __base__=table, __doc__=table.__doc__, tenants=tenants)
    _tables.add(made)
    return made


def is_per_tenant(table: type[Settings]) -> bool:
    """Tell whether a type of table is one that `with_tenants` returned."""
    return table in _tables


def tenants_of(table: Settings | None) -> dict[str, Settings]:
    """Return the tables of a service's tenants by their names, sorted; none of a service without."""
    if table is None or not is_per_tenant(type(table)):
        return {}
    return dict(sorted(getattr(table, KEY).items()))


def put_together(document: Mapping[str, Any], services: Mapping[str, type[Settings]]) -> dict[str, Any]:
    """Return the TOML `document` with complete tables of tenants, for the `services` that have any.

    A tenant without a `host` gets `<tenant>-<host of the service>`, if the service's table has that setting.
    """
    tables = document.get("services")
    if not isinstance(tables, Mapping):
        return dict(document)
    whole = dict(tables)
    for name, table in services.items():
        given = tables.get(name)
        if is_per_tenant(table) and isinstance(given, Mapping) and isinstance(given.get(KEY), Mapping):
            usual = {key: value for key, value in given.items() if key != KEY}
            has_host = "host" in table.__pydantic_fields__
            host = usual.get("host", name) if has_host else None
            whole[name] = {
                **given,
                KEY: {each: _tenant(each, usual, own, host) for each, own in given[KEY].items()},
            }
    return {**document, "services": whole}


def own_faults(faults: Iterable[Fault], document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield faults where a person wrote the value: what tenants inherit once, in the service's table."""
    seen: set[Path] = set()
    for fault in faults:
        path = written_path(fault.path, document)
        if path == fault.path or path not in seen:
            yield replace(fault, path=path)
        seen.add(path)


def once_of_all_tenants(faults: Iterable[Fault], document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield faults between settings: one that several tenants inherit alike only of the first of them."""
    seen: set[tuple[Path, str, str]] = set()
    for fault in faults:
        path = written_path(fault.path, document)
        if path == fault.path or (path, fault.what, fault.got) not in seen:
            yield fault
        seen.add((path, fault.what, fault.got))


def written_path(path: Path, document: Mapping[str, Any]) -> Path:
    """Return where the file has the value at `path`: the service's table, if the tenant's has none."""
    match path:
        # A tenant's host is never the service's own.
        case ("services", str() as service, "tenants", str(), *rest) if rest and rest[0] != "host":
            return path if _has(document, path) else ("services", service, *rest)
        case _:
            return path


def is_written(path: Path, document: Mapping[str, Any]) -> bool:
    """Tell whether the file has the value at `path`, or, of a tenant's value, that of the service."""
    match path:
        case ("services", str() as service, "tenants", str(), *rest) if rest:
            return _has(document, path) or _has(document, ("services", service, *rest))
        case _:
            return _has(document, path)


def _tenant(name: str, usual: Mapping[str, Any], own: Any, host: Any) -> Any:
    if not isinstance(own, Mapping):
        return own
    merged = _merged(usual, own)
    return (
        merged
        if host is None or not is_tenant_name(name)
        else {**merged, "host": own.get("host", f"{name}-{host}")}
    )


def _merged(usual: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(usual[key], value)
        for key, value in own.items()
        if isinstance(value, Mapping) and isinstance(usual.get(key), Mapping)
    }
    return {**usual, **own, **both}


def _has(document: Any, path: Path) -> bool:
    for part in path:
        if not isinstance(document, Mapping) or part not in document:
            return isinstance(document, list) and isinstance(part, int)
        document = document[part]
    return True
