from dataclasses import replace
from pathlib import Path

import pytest

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation, Tenant
from holdfast_orchestrator.app.selection import EVERYTHING, Selection, alone, labels, refuse_ambiguous, select
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.state_key import state_key


def shard(service: str, environment: str = "dev", region: str = "eu-west-1", *, after: str = "") -> Shard:
    return Shard(
        name=f"{service}-{environment}-{region}",
        directory=Path(),
        configuration=b"{}",
        service=service,
        environment=environment,
        account="123456789012",
        region=region,
        state=StateLocation(
            bucket="states", key=state_key(service, "123456789012", region, environment), region=region
        ),
        depends_on=(f"{after}-{environment}-{region}",) if after else (),
    )


APP = Manifest(
    (
        shard("network"),
        shard("network", "prod"),
        shard("data", after="network"),
        shard("orders", after="data"),
        shard("orders", "prod", after="network"),
    )
)


def chosen(**asked: object) -> list[str]:
    return [found.name for found in Selection(**asked).of(APP)]  # type: ignore[arg-type]


def test_nothing_asked_for_means_everything() -> None:
    assert len(chosen()) == 5


def test_an_environment_narrows_the_choice() -> None:
    assert chosen(environments=("prod",)) == ["network-prod-eu-west-1", "orders-prod-eu-west-1"]


def test_a_glob_matches_shard_names_and_service_names() -> None:
    assert chosen(stacks=("network-*",)) == chosen(stacks=("network",))


def test_several_globs_widen_the_choice() -> None:
    assert chosen(environments=("dev",), stacks=("data", "orders")) == [
        "data-dev-eu-west-1",
        "orders-dev-eu-west-1",
    ]


def test_choosing_one_shard_pulls_in_no_upstream() -> None:
    assert chosen(environments=("dev",), services=("orders",)) == ["orders-dev-eu-west-1"]


def test_dependents_come_along_when_asked_for() -> None:
    names = chosen(environments=("dev",), services=("network",), include_dependents=True)

    assert names == ["network-dev-eu-west-1", "data-dev-eu-west-1", "orders-dev-eu-west-1"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"environments": ("prdo",)}, "--env 'prdo' matches no stack; there are: dev, prod"),
        ({"services": ("x",)}, "--service 'x' matches no stack; there are: data, network, orders"),
        (
            {"environments": ("prod",), "stacks": ("data",)},
            "--stack 'data' matches no stack; there are: network-prod",
        ),
    ],
)
def test_what_matches_nothing_is_an_error_that_lists_what_there_is(
    asked: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        chosen(**asked)

    assert message in str(raised.value)


def test_several_environments_have_to_be_named_where_something_will_be_changed() -> None:
    with pytest.raises(UsageError, match="2 environments: dev, prod"):
        chosen(one_environment=True)

    assert len(chosen(one_environment=True, environments=("dev", "prod"))) == 5


def test_a_shard_is_called_by_its_service_where_that_is_clear() -> None:
    assert set(labels([shard("network"), shard("orders")]).values()) == {"network", "orders"}


def test_two_shards_of_a_service_are_told_apart_by_environment() -> None:
    assert set(labels([shard("network"), shard("network", "prod")]).values()) == {
        "network-dev",
        "network-prod",
    }


def test_two_shards_of_a_service_in_two_regions_are_told_apart_by_region() -> None:
    names = labels([shard("network"), shard("network", region="us-east-1")])

    assert set(names.values()) == {"network-eu-west-1", "network-us-east-1"}


def test_a_shard_alone_is_chosen_by_environment_service_and_name() -> None:
    for one in APP.shards:
        assert alone(one).of(APP) == (one,)
        refuse_ambiguous(one, APP)


def test_a_shard_named_like_a_service_of_several_cannot_be_chosen_alone() -> None:
    plain = replace(shard("orders"), name="orders")
    app = Manifest((plain, shard("orders", region="us-east-1")))

    with pytest.raises(UsageError, match="also the service of orders-dev-us-east-1"):
        refuse_ambiguous(plain, app)


def test_a_selection_is_written_with_one_name_or_several() -> None:
    assert select(env="dev", stack=["data", "orders"]) == Selection(
        environments=("dev",), stacks=("data", "orders")
    )
    assert select() == EVERYTHING
    assert select(service=("data",), include_dependents=True, changed_since="main") == Selection(
        services=("data",), include_dependents=True, changed_since="main"
    )


def test_what_changed_since_a_revision_is_never_guessed() -> None:
    with pytest.raises(ValueError, match="has to be found out first"):
        select(changed_since="main").of(APP)


NETWORK = "network-prod-eu-west-1"


def of_tenants() -> Manifest:
    """An app with a service that two tenants have for themselves, and one that both share."""
    tenants = (
        replace(shard(f"invoices-{name}", "prod"), tenant=Tenant(service="invoices", name=name))
        for name in ("acme", "globex")
    )
    return Manifest((shard("network", "prod"), *tenants))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"services": ("invoices",)}, ["invoices-acme-prod-eu-west-1", "invoices-globex-prod-eu-west-1"]),
        ({"services": ("invoices-acme",)}, ["invoices-acme-prod-eu-west-1"]),
        ({"stacks": ("*-acme-*",)}, ["invoices-acme-prod-eu-west-1"]),
        ({"stacks": ("invoices",)}, ["invoices-acme-prod-eu-west-1", "invoices-globex-prod-eu-west-1"]),
        ({"services": ("network", "invoices-acme")}, [NETWORK, "invoices-acme-prod-eu-west-1"]),
    ],
)  # fmt: skip
def test_a_service_of_tenants_means_all_of_them_and_each_is_named_by_itself(
    asked: dict[str, tuple[str, ...]], names: list[str]
) -> None:
    assert [found.name for found in Selection(**asked).of(of_tenants())] == names  # type: ignore[arg-type]


def test_each_tenants_shard_has_a_label_and_a_selection_of_its_own() -> None:
    manifest = of_tenants()

    assert set(labels(manifest.shards).values()) == {"network", "invoices-acme", "invoices-globex"}
    for each in manifest.shards:
        refuse_ambiguous(each, manifest)
