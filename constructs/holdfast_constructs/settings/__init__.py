"""The settings: environments/*.toml in, frozen and validated `Environment`s out.

    loading        file → text → TOML → Environment; every problem of every file at once
    base           what every table is, and which settings were read
    models         every key that exists, and every default
    values         the kinds of value: account ids, networks, images, …
    rules          what no single key can tell: sizes, zones, production
    plain_secrets  secrets written out, which no settings file may have
    explain        pydantic's errors → what, got, allowed, next
    lines          which line a key is on
    problems       the error a person sees

Nothing here reads the process environment, and nothing after here reads TOML.
"""

from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.loading import load_environment, load_environments, parse_environment
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import InvalidSettingsError, Problem
from holdfast_constructs.settings.services import (
    Database,
    DatabaseService,
    JobService,
    Service,
    WorkerService,
)

__all__ = [
    "Database",
    "DatabaseService",
    "Environment",
    "InvalidSettingsError",
    "JobService",
    "Problem",
    "Service",
    "Settings",
    "WorkerService",
    "load_environment",
    "load_environments",
    "parse_environment",
]
