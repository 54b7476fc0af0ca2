import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.statements import granted
from tests.synth.conftest import Site

from holdfast_constructs import Cache, HoldfastApp, Key, Network, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
ARN = "arn:aws:elasticache:eu-west-1:210987654321:replicationgroup:theirs"


def _cache(app: HoldfastApp, *, target: dict[str, Any] | None = None, **given: Any) -> Cache:
    place = sample_target(**target or {})
    base = ServiceStack(app, "network", place)
    logs_key = Key(base, "logs", purpose="logs")
    network = Network(base, "main", cidr="10.40.0.0/16", nat="none", logs_key=logs_key)
    stack = ServiceStack(app, "shop", place)
    return Cache(
        stack, "sessions", network=network, key=Key(stack, "key", purpose="data"), logs_key=logs_key, **given
    )


def _synthesized(synthesize: Synthesize, **given: Any) -> Template:
    return synthesize(lambda app: _cache(app, **given))["shop"]


def _of_site(site: Site) -> Cache:
    stack = ServiceStack(site.app, "data", site.target)
    platform = site.platform
    return Cache(
        stack,
        "sessions",
        network=platform.network,
        key=Key(stack, "key", purpose="data"),
        logs_key=platform.logs_key,
    )


def test_everything_in_a_cache_and_on_the_way_to_it_is_encrypted(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    [key] = shop.resources("aws_kms_key")
    shop.has_resource(
        "aws_elasticache_replication_group",
        engine="valkey",
        at_rest_encryption_enabled="true",
        kms_key_id=f"${{{key}.arn}}",
        transit_encryption_enabled=True,
        transit_encryption_mode="required",
    )


def test_a_replica_takes_over_in_production(synthesize: Synthesize) -> None:
    _synthesized(synthesize).has_resource(
        "aws_elasticache_replication_group",
        num_cache_clusters=2,
        automatic_failover_enabled=True,
        multi_az_enabled=True,
    )


def test_a_cache_elsewhere_is_one_node_unless_asked_for_more(synthesize: Synthesize) -> None:
    _synthesized(synthesize, target={"production": False}).has_resource(
        "aws_elasticache_replication_group",
        num_cache_clusters=1,
        automatic_failover_enabled=False,
        multi_az_enabled=False,
    )


def test_nobody_logs_in_but_with_iam(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize, users={"app": "on ~* +@read", "admin": "on ~* +@all"})

    users = shop.resources("aws_elasticache_user")
    assert {user["user_id"] for user in users.values()} == {
        "shop-prod-sessions-app",
        "shop-prod-sessions-admin",
    }
    for user in users.values():
        assert user["authentication_mode"] == {"type": "iam"}
        assert user["user_id"] == user["user_name"]
        assert {"passwords", "no_password_required"}.isdisjoint(user)
    [group] = shop.resources("aws_elasticache_user_group")
    cache = shop.resource("aws_elasticache_replication_group")
    assert cache["user_group_ids"] == [f"${{{group}.user_group_id}}"]
    assert "auth_token" not in cache


def test_who_is_given_no_name_may_not_empty_the_cache(synthesize: Synthesize) -> None:
    [user] = _synthesized(synthesize).resources("aws_elasticache_user").values()

    assert "-@dangerous" in user["access_string"]


def test_nobody_outside_the_network_reaches_it(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    [group] = shop.resources("aws_security_group")
    assert shop.resource("aws_elasticache_replication_group")["security_group_ids"] == [f"${{{group}.id}}"]
    subnets = shop.resource("aws_elasticache_subnet_group")["subnet_ids"]
    assert len(subnets) == 2
    assert all("isolated" in subnet for subnet in subnets)
    shop.has_no_resource("aws_vpc_security_group_ingress_rule")


def test_its_logs_are_kept_encrypted(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    delivered = shop.resource("aws_elasticache_replication_group")["log_delivery_configuration"]
    assert [each["log_type"] for each in delivered] == ["slow-log", "engine-log"]
    for group in shop.resources("aws_cloudwatch_log_group").values():
        assert "logs" in group["kms_key_id"]
        assert group["retention_in_days"] == 365


def test_parameters_are_those_of_its_version_and_change_before_the_old_ones_go(
    synthesize: Synthesize,
) -> None:
    shop = _synthesized(synthesize, engine_version="7.2", parameters={"maxmemory-policy": "noeviction"})

    shop.has_resource(
        "aws_elasticache_parameter_group",
        name="shop-prod-sessions-valkey7",
        family="valkey7",
        parameter=[{"name": "maxmemory-policy", "value": "noeviction"}],
        lifecycle={"create_before_destroy": True},
    )


def test_a_change_is_made_when_it_is_deployed(synthesize: Synthesize) -> None:
    _synthesized(synthesize).has_resource("aws_elasticache_replication_group", apply_immediately=True)


@pytest.mark.parametrize("kept", [True, False])
def test_a_cache_is_protected_where_data_is_kept(synthesize: Synthesize, *, kept: bool) -> None:
    synthesis = synthesize(lambda app: _cache(app, target={"delete_protection": kept, "production": kept}))

    protected = synthesis.manifest["shards"]["shop-prod-eu-west-1"]["protected"]
    assert [each.split(".")[0] for each in protected if "kms" not in each] == [
        *["aws_elasticache_replication_group"][: int(kept)]
    ]


def test_a_service_that_is_connected_knows_where_it_is_and_may_log_in(
    on_site: Callable[..., Synthesis],
) -> None:
    orders = on_site(lambda site: site.service().connect_to(_of_site(site)))["orders"]

    [task] = orders.resources("aws_ecs_task_definition").values()
    [container] = json.loads(task["container_definitions"])
    variables = {each["name"]: each["value"] for each in container["environment"]}
    assert sorted(variables) == [
        *("CACHE_HOST", "CACHE_NAME", "CACHE_PORT", "CACHE_READER_HOST", "CACHE_TLS", "CACHE_USER"),
    ]
    assert (variables["CACHE_PORT"], variables["CACHE_NAME"]) == ("6379", "data-prod-sessions")
    log_in = granted(orders, "use-data-sessions-cache")["LogIn"]
    assert log_in["actions"] == ["elasticache:Connect"]
    assert len(log_in["resources"]) == 2
    orders.has_resource("aws_vpc_security_group_egress_rule", from_port=6379, to_port=6379)


def test_a_cache_of_somebody_else_is_connected_to_by_its_arn(on_site: Callable[..., Synthesis]) -> None:
    theirs = Cache.import_(ARN, host="master.theirs", security_group_id="sg-1", user_ids=("orders",))

    orders = on_site(lambda site: site.service().connect_to(theirs))["orders"]

    assert granted(orders, "use-theirs-cache")["LogIn"]["resources"] == [
        ARN,
        "arn:aws:elasticache:eu-west-1:210987654321:user:orders",
    ]
