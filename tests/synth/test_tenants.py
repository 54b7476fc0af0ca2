"""A service per tenant: a stack, a state, tags and a host for each, and nothing of one is another's."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from constructs import Construct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from tests.support.tenants import parsed, registered, service_types, synthesized, with_tenants

from holdfast_constructs import ConstructError, HoldfastApp, Queue, ServiceStack
from holdfast_constructs.project import Site, service
from holdfast_constructs.settings import (
    DatabaseService,
    InvalidSettingsError,
    Service,
    Settings,
    parse_environment,
)
from holdfast_constructs.testing import Synthesis, sample_target, synthesize_into

ACME = "invoices-acme-prod-eu-west-1"
GLOBEX = "invoices-globex-prod-eu-west-1"
TWO = {"acme": 'host = "acme"\nmin_tasks = 3\ndatabase.class = "db.t4g.large"', "globex": ""}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    return synthesized(tmp_path_factory.mktemp("two"), with_tenants(TWO))


def test_each_tenant_has_a_stack_and_a_state_and_the_service_has_none(two: Synthesis) -> None:
    shards = two.manifest["shards"]

    assert [name for name in shards if name.startswith("invoices")] == [ACME, GLOBEX]
    assert shards[ACME]["service"] == "invoices-acme"
    assert shards[ACME]["tenant"] == {"service": "invoices", "name": "acme"}
    assert shards[ACME]["state"]["key"] == "invoices-acme/210987654321/eu-west-1/prod/terraform.tfstate"
    assert "tenant" not in shards["orders-prod-eu-west-1"]


def test_the_stack_of_a_tenant_is_as_reviewed(two: Synthesis, snapshot: SnapshotAssertion) -> None:
    assert two[ACME].readable() == snapshot(extension_class=JSONSnapshotExtension)


def test_a_tenant_has_the_settings_of_the_service_but_for_its_own() -> None:
    environment = parsed(with_tenants(TWO))
    acme, globex = (environment.settings_of("invoices", each) for each in ("acme", "globex"))

    assert isinstance(acme, DatabaseService)
    assert isinstance(globex, DatabaseService)
    assert (acme.min_tasks, globex.min_tasks) == (3, 2)
    assert acme.database.instance_class == "db.t4g.large"
    assert acme.database.storage_gib == globex.database.storage_gib == 100
    assert (acme.host, globex.host) == ("acme", "globex-invoices")


def test_every_resource_of_a_tenant_has_its_tag_and_no_other_has(two: Synthesis) -> None:
    assert _tags(two, ACME)["Tenant"] == "acme"
    assert _tags(two, GLOBEX)["Tenant"] == "globex"
    assert "Tenant" not in _tags(two, "edge-prod-eu-west-1")
    assert _tags(two, "orders-prod-eu-west-1")["Service"] == "orders"


def test_explained_says_whose_a_stack_is_and_what_it_is_set_to(two: Synthesis) -> None:
    stacks = json.loads((two.outdir / "explained.json").read_bytes())["stacks"]
    rows = {row["name"]: row["value"] for row in stacks[ACME]["settings"]}

    assert stacks[ACME]["tenant"] == "acme"
    assert rows["services.invoices.tenants.acme.min_tasks"] == 3
    assert "tenant" not in stacks["orders-prod-eu-west-1"]


def test_nothing_in_aws_is_called_alike_for_two_tenants(two: Synthesis) -> None:
    both = [_names(two, stack) for stack in (ACME, GLOBEX)]

    assert both[0]
    assert not both[0] & both[1]


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,5})?", fullmatch=True).filter(
    lambda name: name not in {"all", "any", "default", "none", "shared", "tenant", "tenants", "prod"}
)
HEALTH = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=5, deadline=None, suppress_health_check=HEALTH)
@given(before=st.sets(NAMES, max_size=3), after=st.sets(NAMES, max_size=3))
def test_a_tenant_that_comes_or_goes_changes_nothing_of_others(
    before: set[str], after: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    first, second = (
        synthesized(tmp_path_factory.mktemp("set"), with_tenants(dict.fromkeys({*names, "stays"}, "")))
        for names in (before, after)
    )

    both = first.templates.keys() & second.templates.keys()
    tenants = {f"invoices-{name}-prod-eu-west-1" for name in (before & after) | {"stays"}}
    assert both >= tenants | {"edge-prod-eu-west-1", "network-prod-eu-west-1", "data-prod-eu-west-1"}
    for name in both:
        assert first[name].readable() == second[name].readable(), name
        assert first.manifest["shards"][name] == second.manifest["shards"][name], name


REFUSED = [
    ({"Acme": ""}, "has a name that no tenant can have"),
    ({"a--b": ""}, "has a name that no tenant can have"),
    ({"shared": ""}, "has a name that no tenant can have"),
    ({"a" * 33: ""}, "services.invoices.tenants." + "a" * 33),
    ({"prod": ""}, "is called as the environment"),
    ({"acme": 'host = "shop"', "globex": 'host = "shop"'}, "is the host of invoices-acme too"),
    ({"acme": 'host = "www"'}, "is the host of"),
    ({"acme": "min_tasks = 9"}, "services.invoices.tenants.acme.max_tasks is below min_tasks"),
    ({"acme": "min_taks = 9"}, "services.invoices.tenants.acme.min_taks is not a key"),
    ({"acme": "[services.orders.tenants.acme]"}, 'write @service("orders", per_tenant=True)'),
    ({"acme": "cpu = 300"}, "services.invoices.tenants.acme.cpu"),
]


@pytest.mark.parametrize(("tenants", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_is_refused_where_it_is_written(tenants: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        parsed(with_tenants(tenants))

    assert message in str(caught.value)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].place.startswith("/") or ":" in caught.value.problems[0].place


def test_a_fault_of_the_service_is_reported_once_and_not_for_each_tenant() -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        parsed(with_tenants(TWO).replace("max_tasks = 4", "max_tasks = 40000"))

    assert [problem.key for problem in caught.value.problems] == ["services.invoices.max_tasks"]


def test_what_all_tenants_inherit_is_reported_once() -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        parsed(with_tenants({"acme": "", "globex": ""}).replace("max_tasks = 4", "max_tasks = 1"))

    assert [problem.what for problem in caught.value.problems] == ["is below min_tasks"]


def test_a_service_called_as_a_tenants_stack_is_refused() -> None:
    tables = re.sub(r"services\.storefront\b", "services.invoices-acme", with_tenants(TWO))
    types: dict[str, type[Settings]] = {**service_types(), "invoices-acme": Service}

    with pytest.raises(InvalidSettingsError) as caught:
        parse_environment(tables, Path("prod.toml"), services=types)

    assert "services.invoices.tenants.acme would be called as the service invoices-acme" in str(caught.value)


def test_editors_let_a_tenants_table_leave_out_what_the_services_has() -> None:
    from holdfast_constructs.project.main import environments_schema  # noqa: PLC0415 - loads jsii

    definitions = environments_schema(registered())["$defs"]
    tenants = definitions["DatabaseServicePerTenant"]["properties"]["tenants"]["additionalProperties"]
    table = definitions[tenants["$ref"].rsplit("/", 1)[-1]]

    assert "image" in definitions["DatabaseServicePerTenant"]["required"]
    assert "required" not in table
    assert "required" not in definitions[table["properties"]["database"]["$ref"].rsplit("/", 1)[-1]]
    assert "required" in definitions["Database"]


def test_a_setting_that_no_tenants_stack_reads_is_reported_where_it_is_written(tmp_path: Path) -> None:
    from holdfast_constructs.project.main import load_and_build  # noqa: PLC0415 - loads jsii

    text = with_tenants({**TWO, "globex": "database.iops = 12000\ndatabase.storage_gib = 400"})
    (tmp_path / "prod.toml").write_text(text, encoding="utf-8")

    with pytest.raises(InvalidSettingsError) as caught:
        load_and_build(HoldfastApp(str(tmp_path / "out")), registered(), tmp_path, ["prod"])

    assert [problem.key for problem in caught.value.problems] == [
        "services.invoices.tenants.globex.database.iops"
    ]


def test_without_tenants_a_service_per_tenant_has_no_stack(tmp_path: Path) -> None:
    result = synthesized(tmp_path, with_tenants({}))

    assert not [name for name in result.templates if name.startswith("invoices")]


class Unregistered(ServiceStack):
    """A stack with one queue, of whatever its target says."""

    def __init__(self, scope: Construct, **changes: Any) -> None:
        super().__init__(scope, "orders", sample_target(**changes))
        self.queue = Queue(self, "jobs")


def test_a_target_of_a_tenant_needs_no_settings(tmp_path: Path) -> None:
    def build(app: HoldfastApp) -> None:
        for tenant in (None, "acme", "globex"):
            Unregistered(app, tenant=tenant)

    result = synthesize_into(tmp_path, build)

    assert sorted(result.templates) == [
        "orders-acme-prod-eu-west-1",
        "orders-globex-prod-eu-west-1",
        "orders-prod-eu-west-1",
    ]
    assert "orders-acme-prod-jobs" in _names(result, "orders-acme-prod-eu-west-1")


@pytest.mark.parametrize("tenant", ["", "Acme", "a_b", "-a", "a--b", "all", "x" * 33])
def test_a_target_refuses_what_no_tenant_can_be_called(tenant: str) -> None:
    with pytest.raises(ConstructError, match="tenant"):
        sample_target(tenant=tenant)


def test_a_target_of_a_tenant_refuses_another_tag_tenant() -> None:
    with pytest.raises(ConstructError, match="tags may not set Tenant"):
        sample_target(tenant="acme", tags={"Tenant": "globex"})


def test_a_long_name_is_cut_and_stays_a_tenants_own(tmp_path: Path) -> None:
    def build(app: HoldfastApp) -> None:
        for number in (1, 2):
            stack = ServiceStack(app, "s" * 30, sample_target(tenant=f"{'t' * 31}{number}"))
            Queue(stack, "a-queue-with-a-long-name-of-its-own")

    result = synthesize_into(tmp_path, build)
    names = [name for stack in result.templates for name in _names(result, stack)]

    assert len(names) == len(set(names)) == 4
    assert max(map(len, names)) <= 80


def test_a_table_of_settings_may_not_have_tenants_of_its_own() -> None:
    class Own(Service):
        tenants: int = 1

    class Stack(ServiceStack):
        def __init__(self, scope: Construct, site: Site, settings: Own) -> None: ...

    with pytest.raises(ConstructError, match="has a setting 'tenants'"):
        service("own", per_tenant=True)(Stack)


def _tags(synthesis: Synthesis, stack: str) -> dict[str, str]:
    (provider,) = synthesis[stack].configuration["provider"]["aws"]
    tags: dict[str, str] = provider["default_tags"][0]["tags"]
    return tags


def _names(synthesis: Synthesis, stack: str) -> set[str]:
    from holdfast_constructs.app._shared_names import NAMES as ARGUMENTS  # noqa: PLC0415 - loads jsii

    return {
        block[argument]
        for kind, argument in ARGUMENTS.items()
        for block in synthesis[stack].configuration["resource"].get(kind, {}).values()
        if argument in block
    }
