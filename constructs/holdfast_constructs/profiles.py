"""Profiles: what an environment is for, and the defaults that come of it.

A default that differs between profiles is a `PerProfile` beside the block that has it. What is written down,
in Python or in the settings, always comes before it.
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
