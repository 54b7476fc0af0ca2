"""An environment with a service per tenant, synthesized from settings."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.example_settings import ENVIRONMENTS, example

from holdfast_constructs.settings import Environment
from holdfast_constructs.settings import parse_environment as _parse
from holdfast_constructs.settings.base import Settings
from holdfast_constructs.testing import Synthesis, synthesize_into

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "tenant_app"
INVOICES = """
[services.invoices]
image = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/invoices@sha256:{digest}"
min_tasks = 2
max_tasks = 4

[services.invoices.environment]
LOG_LEVEL = "info"

[services.invoices.database]
class = "db.r6g.large"
storage_gib = 100
backup_days = 14
""".format(digest="ece35c3044773464025064d1d6663bba256ec0886059ea2f20672da64e8bbd61")


def with_tenants(tenants: Mapping[str, str]) -> str:
    """The text of environment prod with the service invoices and these tenants; the values are TOML."""
    tables = (f"\n[services.invoices.tenants.{name}]\n{text}\n" for name, text in tenants.items())
    return example("prod") + INVOICES + "".join(tables)


def service_types() -> dict[str, type[Settings]]:
    """The type of the table of each service, invoices too."""
    from holdfast_constructs.project.main import service_tables  # noqa: PLC0415 - loads jsii

    return service_tables(registered())


def parsed(text: str) -> Environment:
    """The environment prod with these settings."""
    return _parse(text, ENVIRONMENTS / "prod.toml", services=service_types())


def synthesized(outdir: Path, text: str) -> Synthesis:
    """The stacks of environment prod with these settings; raises as a synth does."""
    from holdfast_constructs.project.main import build  # noqa: PLC0415 - loads jsii

    environment = parsed(text)
    return synthesize_into(outdir, lambda app: build(app, registered(), [environment]))


def registered() -> dict[str, Any]:
    """The stacks of the example and of the fixture, by service."""
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415 - loads jsii

    if str(FIXTURE) not in sys.path:
        sys.path.insert(0, str(FIXTURE))
    return {**registrations("holdfast_stacks"), **registrations("invoices_stacks")}
