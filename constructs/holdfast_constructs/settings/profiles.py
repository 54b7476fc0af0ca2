"""Gives settings that the file does not have the default of the environment's profile.

Rules and stacks then read them as if they had been written. They do not count as written: what no stack reads
is only an error where a person wrote it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from holdfast_constructs.profiles import (
    BACKUP_DAYS,
    DELETE_PROTECTION,
    MULTI_AZ,
    NAT,
    PRODUCTION,
    RETENTION_DAYS,
    PerProfile,
    Profile,
)
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.tenants import KEY, is_per_tenant

Table = TypeVar("Table", bound=Settings)
Path = tuple[str, ...]

# By the path of a setting below the environment; `*` is any service.
DEFAULTS: Mapping[Path, PerProfile[Any]] = MappingProxyType(
    {
        ("local",): PerProfile(local=True, dev=False, staging=False, prod=False),
        ("production",): PRODUCTION,
        ("keep_data",): DELETE_PROTECTION,
        ("network", "zones"): PerProfile(local=2, dev=2, staging=3, prod=3),
        ("network", "nat"): NAT,
        ("logs", "retention_days"): RETENTION_DAYS,
        ("services", "*", "min_tasks"): PerProfile(local=1, dev=1, staging=2, prod=2),
        ("services", "*", "max_tasks"): PerProfile(local=2, dev=2, staging=4, prod=6),
        ("services", "*", "database", "multi_az"): MULTI_AZ,
        ("services", "*", "database", "backup_days"): BACKUP_DAYS,
    }
)


def with_defaults_of(profile: Profile, table: Table, path: Path = ()) -> Table:
    """Return `table` with the profile's defaults where its file says nothing; `path` is that of the table."""
    changed: dict[str, Any] = {}
    for name, value in table:
        below = (*path, _key(table, name, path))
        if isinstance(value, Settings):
            changed[name] = with_defaults_of(profile, value, below)
        elif name == KEY and is_per_tenant(type(table)):
            changed[name] = {tenant: with_defaults_of(profile, own, path) for tenant, own in value.items()}
        elif name not in table.model_fields_set and below in DEFAULTS:
            changed[name] = DEFAULTS[below].of(profile)
    same = all(changed[name] is getattr(table, name) for name in changed)
    if same:
        return table
    values = {name: changed.get(name, value) for name, value in table}
    return type(table).model_construct(_fields_set=set(table.model_fields_set), **values)


def _key(table: Settings, name: str, path: Path) -> str:
    return "*" if path == ("services",) else type(table).__pydantic_fields__[name].alias or name
