"""Rows 13, 14 and 44 to 51: what cannot simply be done again or undone."""

import pytest
from tests.faults.lab.invariant import assert_safe, managed
from tests.faults.lab.matches import asks, puts
from tests.faults.lab.proxy import Answer, Drop, Meanwhile, Rule
from tests.faults.lab.scenarios import (
    AS_FIRST,
    FAILING,
    FIRST,
    SECOND,
    Version,
    app,
    impossible,
    parameter,
    patience,
    provider,
    stack,
    table,
)
from tests.faults.lab.world import World

WITH_TABLE = app(parameter("kept"), table("orders"))


def put_item(world: World, name: str = "shop-orders") -> None:
    world.cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": "precious"}})


def items(world: World, name: str = "shop-orders") -> int:
    count: int = world.cloud.dynamodb.scan(TableName=name)["Count"]
    return count


def test_a_deploy_that_fails_half_way_is_undone(world: World) -> None:
    world.begin(FIRST)

    ended = world.deploy(FAILING)

    assert_safe(world, ended, code=5)
    assert ended.outcome() == "rolled_back"
    assert world.cloud.names() == AS_FIRST
    assert world.cloud.value("/shop/changed") == "1"
    assert_safe(world, world.deploy(SECOND), code=0)


def test_a_first_deploy_that_fails_is_kept_and_reported(world: World) -> None:
    ended = world.deploy(FAILING)

    assert_safe(world, ended, code=1)
    assert ended.outcome() == "failed"
    assert world.cloud.names() == {"/shop/kept", "/shop/changed", "/shop/fresh"}
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_13_a_lost_response_is_adopted_not_duplicated(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=puts("fresh"), fault=Drop(after=True), times=1))

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code=0)
    assert world.cloud.names() == {"/shop/kept", "/shop/changed", "/shop/fresh"}


def test_row_13_a_lost_response_in_a_first_deploy_is_adopted(world: World) -> None:
    world.proxy.add(Rule(what=puts("fresh"), fault=Drop(after=True), times=1))

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code=0)
    assert ("aws_ssm_parameter", "/shop/fresh") in managed(world.cloud)


def test_row_13_a_lost_response_in_a_deploy_that_fails_is_undone_with_it(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=puts("fresh"), fault=Drop(after=True), times=1))

    ended = world.deploy(FAILING)

    assert_safe(world, ended, code=5)
    assert world.cloud.names() == AS_FIRST


def test_row_14_a_foreign_object_of_the_same_name_is_neither_adopted_nor_deleted(world: World) -> None:
    world.begin(FIRST)
    world.cloud.ssm.put_parameter(Name="/shop/fresh", Value="theirs", Type="String")

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code=5, told={("aws_ssm_parameter", "/shop/fresh")})
    assert world.cloud.value("/shop/fresh") == "theirs"
    assert world.cloud.value("/shop/changed") == "1"


def left_behind(world: World, name: str) -> None:
    """A table with the shard's tags, in no state: kept by an earlier rollback, or let go by a person."""
    tags = provider()["default_tags"][0]["tags"]
    world.cloud.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


@pytest.mark.parametrize("refused", [0, 99], ids=["told by AWS", "AWS does not tell"])
def test_row_14_what_was_kept_on_purpose_is_not_destroyed_by_the_next_rollback(
    world: World, refused: int
) -> None:
    world.begin(FIRST)
    left_behind(world, "shop-orders")
    denied = Answer(400, "AccessDeniedException")
    world.proxy.add(Rule(what=asks("GetResources"), fault=denied, times=refused))
    failing = app(
        parameter("kept"),
        parameter("changed", "2"),
        table("orders", after="changed"),
        impossible(after="changed"),
    )

    ended = world.deploy(failing)

    assert_safe(world, ended, code=5, told={("aws_dynamodb_table", "shop-orders")})
    assert world.cloud.value("/shop/changed") == "1"


def test_row_13_a_lost_response_in_a_rollback_is_adopted(world: World) -> None:
    """What the rollback itself makes can be lost as well."""
    moved = parameter("moved")
    moved[2]["name"] = "/shop/elsewhere"
    world.begin(app(parameter("kept"), parameter("moved")))
    world.proxy.add(Rule(what=puts("moved"), fault=Drop(after=True), times=1))

    ended = world.deploy(app(parameter("kept"), moved, impossible(after="moved")))

    assert_safe(world, ended, code=5)
    assert world.cloud.names() == {"/shop/kept", "/shop/moved"}


def test_row_13_not_to_know_whether_an_object_was_made_is_not_taken_for_no(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=puts("fresh"), fault=Drop(after=True), times=1))
    world.proxy.add(
        Rule(what=asks("GetParameter", "fresh"), fault=Answer(400, "ThrottlingException", "Rate exceeded"))
    )

    ended = world.deploy(patience(FAILING, 3))
    resumed = world.resume("--continue")

    assert ended.code == 6, str(ended)
    assert "it could not be found out whether aws_ssm_parameter.fresh was made" in ended.text
    assert_safe(world, resumed, code={0, 5})
    assert world.cloud.names() == AS_FIRST


def stuck(world: World) -> None:
    """A rollback that cannot finish: what the failed version made may not be deleted."""
    world.begin(FIRST)
    world.proxy.add(
        Rule(what=asks("DeleteParameter", "/shop/fresh"), fault=Answer(400, "AccessDeniedException"))
    )
    ended = world.deploy(FAILING)
    assert_safe(world, ended, code=6, held=True)
    assert ended.outcome() == "needs_human"
    assert "resume" in ended.text
    assert "aws_ssm_parameter.fresh" in ended.text


def test_row_44_a_rollback_that_gets_stuck_waits_for_a_person_and_goes_on_later(world: World) -> None:
    stuck(world)

    resumed = world.resume()

    assert_safe(world, resumed, code=5)
    assert world.cloud.names() == AS_FIRST


def test_row_44_a_stuck_rollback_can_skip_what_is_in_its_way(world: World) -> None:
    stuck(world)

    resumed = world.holdfast("resume", world.newest_run(), "--skip", "aws_ssm_parameter.fresh", "--json")

    assert resumed.code in {1, 5, 6}, str(resumed)
    assert "fresh" in resumed.text
    assert world.cloud.value("/shop/changed") == "1"
    assert ("aws_ssm_parameter", "/shop/fresh") in managed(world.cloud) or "/shop/fresh" in resumed.text


def test_row_44_a_stuck_rollback_can_let_go_of_an_object(world: World) -> None:
    stuck(world)

    resumed = world.holdfast("resume", world.newest_run(), "--orphan", "aws_ssm_parameter.fresh", "--json")

    assert_safe(world, resumed, code=5, told={("aws_ssm_parameter", "/shop/fresh")})


def test_row_44_a_stuck_rollback_can_be_given_up_for_what_is_there(world: World) -> None:
    stuck(world)
    world.proxy.heal()
    world.write(SECOND)

    resumed = world.holdfast("resume", world.newest_run(), "--accept-forward", "--json")

    assert resumed.code in {0, 1, 6}, str(resumed)
    assert ("aws_ssm_parameter", "/shop/fresh") in managed(world.cloud)
    assert_safe(world, world.deploy(SECOND), code=0)


def replacing(name: str, *blocks: object) -> Version:
    replaced = parameter("replaced", lifecycle={"create_before_destroy": True})
    replaced[2]["name"] = name
    more = [block for block in blocks if isinstance(block, tuple)]
    return app(parameter("kept"), replaced, *more)


def test_row_45_the_original_of_a_replacement_that_failed_to_go_is_kept(world: World) -> None:
    world.begin(replacing("/shop/original"))
    world.proxy.add(
        Rule(what=asks("DeleteParameter", "/shop/original"), fault=Answer(400, "AccessDeniedException"))
    )

    ended = world.deploy(replacing("/shop/replacement"))

    assert_safe(world, ended, code=5)
    assert world.cloud.names() == {"/shop/kept", "/shop/original"}
    assert world.proxy.seen(puts("original")) == [], "it was never made anew"


def test_row_45_a_replacement_that_may_have_been_made_beside_its_original_is_named(world: World) -> None:
    world.begin(replacing("/shop/original"))
    world.proxy.add(Rule(what=puts("replacement"), fault=Drop(after=True), times=1))

    ended = world.deploy(replacing("/shop/replacement"))

    assert_safe(world, ended, code=5, told={("aws_ssm_parameter", "/shop/replacement")})
    # The provider asks once more by itself, and hears of the one that it has just made.
    assert "one like aws_ssm_parameter.replaced exists already" in ended.text
    assert "it is an aws_ssm_parameter /shop/replacement that no state has" in ended.text


def test_row_46_what_the_failed_version_moved_is_moved_back(world: World) -> None:
    world.begin(WITH_TABLE)
    put_item(world)
    kind, _, block = table("orders")
    moved = stack(
        parameter("kept", "2"),
        (kind, "renamed", block),
        impossible(after="kept"),
        moved=[{"from": "aws_dynamodb_table.orders", "to": "aws_dynamodb_table.renamed"}],
    )

    ended = world.deploy({"shop": moved})

    assert_safe(world, ended, code=5)
    assert items(world) == 1
    assert not world.proxy.seen(asks("CreateTable|DeleteTable"))
    assert {one["name"] for one in world.state()["resources"]} == {"kept", "orders"}


def test_row_47_a_provider_only_the_failed_version_had_is_there_for_its_rollback(cold_world: World) -> None:
    world = cold_world  # a provider that is attached to knows one configuration only
    world.begin(FIRST)
    other = provider(alias="other", region="eu-central-1")
    aliased = parameter("fresh", provider="aws.other")
    failing = stack(parameter("kept"), parameter("changed", "2"), aliased, impossible(after="fresh"))
    failing["provider"]["aws"].append(other)

    ended = world.deploy({"shop": failing})

    assert_safe(world, ended, code=5)
    assert world.cloud.names() == AS_FIRST
    elsewhere = world.cloud.client("ssm", region="eu-central-1")
    assert elsewhere.describe_parameters()["Parameters"] == []


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_row_48_losing_what_a_rollback_could_not_bring_back_needs_a_name(world: World, change: str) -> None:
    world.begin(WITH_TABLE)
    put_item(world)
    replaced = app(parameter("kept", "2"), table("orders", key="another"))
    deleted = app(parameter("kept", "2"))

    ended = world.deploy(replaced if change == "replaced" else deleted)

    assert_safe(world, ended, code=4)
    assert ended.outcome() == "blocked"
    assert "aws_dynamodb_table.orders" in ended.text
    assert items(world) == 1
    assert world.cloud.value("/shop/kept") == "1"


def test_row_48_a_deploy_whose_rollback_would_lose_a_new_table_with_data_is_not_undone_blindly(
    world: World,
) -> None:
    world.begin(FIRST)
    failing = app(
        parameter("kept"),
        parameter("changed", "2"),
        table("fresh", after="changed"),
        impossible_after_table(),
    )
    world.proxy.add(
        Rule(what=puts("impossible"), fault=Meanwhile(lambda: put_item(world, "shop-fresh")), times=1)
    )

    ended = world.deploy(failing)

    assert ended.code in {5, 6}, str(ended)
    kept = "shop-fresh" in world.cloud.names()
    assert not kept or "shop-fresh" in ended.text or "aws_dynamodb_table.fresh" in ended.text


def impossible_after_table() -> tuple[str, str, dict[str, object]]:
    kind, name, block = impossible()
    return kind, name, {**block, "depends_on": ["aws_dynamodb_table.fresh"]}


def test_row_49_a_change_somebody_else_made_meanwhile_is_not_undone(world: World) -> None:
    world.begin(FIRST)

    def by_hand() -> None:
        world.cloud.ssm.put_parameter(Name="/shop/kept", Value="by hand", Type="String", Overwrite=True)

    world.proxy.add(Rule(what=puts("impossible"), fault=Meanwhile(by_hand), times=1))

    ended = world.deploy(FAILING)

    assert_safe(world, ended, code=6, held=True)
    assert "aws_ssm_parameter.kept" in ended.text
    assert world.cloud.value("/shop/kept") == "by hand"


def test_row_50_what_the_failed_version_imported_is_forgotten_not_destroyed(world: World) -> None:
    world.begin(FIRST)
    world.cloud.ssm.put_parameter(Name="/shop/found", Value="1", Type="String")
    importing = stack(
        parameter("kept"),
        parameter("changed", "2"),
        parameter("found"),
        impossible(after="found"),
    )
    importing["import"] = [{"to": "aws_ssm_parameter.found", "id": "/shop/found"}]

    ended = world.deploy({"shop": importing})

    assert_safe(world, ended, code=5, told={("aws_ssm_parameter", "/shop/found")})
    assert world.cloud.value("/shop/found") == "1"
    assert ("aws_ssm_parameter", "/shop/found") not in managed(world.cloud)


def two(base: str, *, base_fails: bool = False, shop_fails: bool = False) -> Version:
    """`shop` writes what `base` puts out."""
    upstream_parameter = parameter("origin", base)
    upstream_parameter[2]["name"] = "/base/origin"
    more = [impossible(after="origin", shard="base")] if base_fails else []
    upstream = stack(
        upstream_parameter,
        *more,
        name="base",
        output={"origin": {"value": "${aws_ssm_parameter.origin.value}", "sensitive": True}},
    )
    value = "${data.terraform_remote_state.base.outputs.origin}"
    shop = stack(parameter("copy", value), *([impossible(after="copy")] if shop_fails else []))
    return {"base": upstream, "shop": {**shop, "dependencies": ["base"]}}


def test_row_51_a_dependent_of_a_failed_shard_is_left_alone(world: World) -> None:
    world.begin(two("1"))

    ended = world.deploy(two("2", base_fails=True))

    assert_safe(world, ended, code=5)
    assert (ended.outcome("base"), ended.outcome("shop")) == ("rolled_back", "skipped")
    assert world.cloud.value("/base/origin") == "1"
    assert world.cloud.value("/shop/copy") == "1"


def test_row_51_a_dependent_whose_input_changed_does_not_go_back_to_half_the_old(world: World) -> None:
    world.begin(two("1"))

    ended = world.deploy(two("2", shop_fails=True))

    assert_safe(world, ended, code={5, 6}, held=True)
    assert ended.outcome("base") == "committed"
    assert world.cloud.value("/base/origin") == "2"
    assert "base" in str(ended.shard("shop")["reason"]) or ended.code == 5


def test_row_51_an_atomic_run_takes_all_its_shards_back(world: World) -> None:
    world.begin(two("1"))
    world.write(two("2", shop_fails=True))

    ended = world.holdfast("deploy", "--yes", "--json", "--atomic")

    assert_safe(world, ended, code=5)
    assert {ended.outcome("base"), ended.outcome("shop")} == {"rolled_back"}
    assert world.cloud.value("/base/origin") == "1"
    assert world.cloud.value("/shop/copy") == "1"
