"""Profiles: what an environment is for, and every default that differs between them.

What is written down, in Python or in the settings, always comes before these.
"""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, get_args

Profile = Literal["local", "dev", "staging", "prod"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class PerProfile(Generic[Value]):
    """A default for each profile: the local cloud, trying things, production's rehearsal, and production."""

    local: Value
    dev: Value
    staging: Value
    prod: Value

    def of(self, profile: Profile, given: Value | None = None) -> Value:
        """Return what was given, and the default of `profile` where nothing was."""
        value: Value = getattr(self, profile) if given is None else given
        return value


def closest(*, local: bool, production: bool, keeps_data: bool) -> Profile:
    """Return the profile of an environment that names none, by what it says of itself."""
    match (local, production, keeps_data):
        case (True, _, _):
            return "local"
        case (_, True, _):
            return "prod"
        case (_, _, True):
            return "staging"
        case _:
            return "dev"


# Of a target.
PRODUCTION = PerProfile(local=False, dev=False, staging=False, prod=True)
DELETE_PROTECTION = PerProfile(local=False, dev=False, staging=True, prod=True)
RETENTION_DAYS = PerProfile(local=7, dev=30, staging=90, prod=365)
# Of a Network.
Nat = Literal["per_az", "single", "none"]
NAT: PerProfile[Nat] = PerProfile(local="single", dev="single", staging="single", prod="per_az")
# Of a Postgres.
MULTI_AZ = PerProfile(local=False, dev=False, staging=False, prod=True)
BACKUP_DAYS = PerProfile(local=1, dev=1, staging=7, prod=14)
