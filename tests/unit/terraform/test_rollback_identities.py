"""Addresses, identities and the index of what a state knows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.identities import Index
from holdfast_orchestrator.state.record_format import DamagedError, Format
from holdfast_orchestrator.terraform.addresses import (
    Address,
    configuration_address,
    object_type,
    parse_address,
)
from holdfast_orchestrator.terraform.identity import (
    Identity,
    IdentityIndex,
    TrackedObject,
    as_told_now,
    identify,
    index_state,
    lost,
)
from holdfast_orchestrator.terraform.stateful_types import Protection

NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True)
KEYS = st.none() | st.integers(0, 99) | st.text(max_size=8)
NOTHING_EXTRA = Protection()
INDEX = Format[IdentityIndex]("index", Index, is_named=False)


def resource(kind: str, name: str, *instances: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, **instance} for instance in instances],
        **fields,
    }


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 4, "serial": 1, "lineage": "L", "outputs": {}, "resources": list(resources)}


def index(*resources: dict[str, Any]) -> IdentityIndex:
    return index_state(state(*resources), protection=NOTHING_EXTRA)


@given(module=st.none() | st.tuples(NAMES, KEYS), kind=NAMES, name=NAMES, key=KEYS)
def test_an_address_reads_back_as_it_was_written(
    module: tuple[str, str | int | None] | None, kind: str, name: str, key: str | int | None
) -> None:
    outer = None if module is None else str(Address(None, "module", *module))
    address = Address(outer, kind, name, key)

    text = str(address)

    assert parse_address(text) == address
    assert configuration_address(text).count("[") == 0


@pytest.mark.parametrize("text", ["", "aws_eip", "aws_eip.", "aws_eip[0].a", "aws_eip.a[", "a b.c", "a.b.c["])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(HoldfastError, match="is not the address"):
        parse_address(text)


def test_a_key_may_hold_dots_brackets_quotes_and_templates() -> None:
    address = r'module.m["a.b[0]"].aws_eip.e["x\"].y${z}"]'

    kind = object_type(address.replace("${", "$${"))

    assert kind == "aws_eip"


def test_an_ecs_task_definition_is_known_by_its_revision_and_not_by_its_family() -> None:
    first = identify("aws_ecs_task_definition", {"id": "app", "arn": "arn:app:1"}, address="a")
    second = identify("aws_ecs_task_definition", {"id": "app", "arn": "arn:app:2"}, address="a")

    assert first != second


def test_a_random_password_is_known_by_a_digest_that_does_not_give_it_away() -> None:
    found = identify("random_password", {"id": "none", "result": "hunter2"}, address="a")

    assert "hunter2" not in found.value
    assert found == identify("random_password", {"id": "none", "result": "hunter2"}, address="b")
    assert found != identify("random_password", {"id": "none", "result": "other"}, address="a")


def test_objects_of_the_same_key_in_two_buckets_are_two_objects() -> None:
    one = identify("aws_s3_object", {"id": "k", "bucket": "one", "key": "k"}, address="a")
    other = identify("aws_s3_object", {"id": "k", "bucket": "other", "key": "k"}, address="a")

    assert one != other


def test_the_default_stages_of_two_apis_are_two_objects() -> None:
    one, other = stage("a", api="1"), stage("b", api="2")

    assert len(index(one, other).by_identity) == 2


def stage(name: str, *, api: str) -> dict[str, Any]:
    attributes = {"id": "$default", "name": "$default", "api_id": api}
    return resource("aws_apigatewayv2_stage", name, {"attributes": attributes})


def told_by_id(name: str, kind: str = "aws_apigatewayv2_stage") -> TrackedObject:
    return TrackedObject(
        identity=Identity(kind, "$default"),
        address=f"{kind}.{name}",
        provider="",
        stateful=False,
        id="$default",
    )


def test_a_record_that_told_an_object_by_its_id_alone_means_the_one_at_its_address() -> None:
    then, now = (
        IdentityIndex((told_by_id("a"), told_by_id("b"))),
        index(stage("a", api="1"), stage("b", api="2")),
    )

    told = as_told_now(then, now)

    assert [known.identity.value for known in told] == ["1|$default", "2|$default"]
    assert as_told_now(told, now) == told


def test_a_record_that_means_another_object_stays_as_it_is() -> None:
    elsewhere = IdentityIndex((told_by_id("c"), told_by_id("a", kind="aws_api_gateway_stage")))
    database = index(resource("aws_db_instance", "d", {"attributes": {"id": "d", "resource_id": "db-1"}}))
    made_anew = index(resource("aws_db_instance", "d", {"attributes": {"id": "d", "resource_id": "db-2"}}))

    assert as_told_now(elsewhere, index(stage("a", api="1"))) == elsewhere
    assert as_told_now(database, made_anew) == database


@pytest.mark.parametrize(
    ("arn", "place"),
    [
        ("arn:aws:logs:eu-west-1:123456789012:log-group:/app", "123456789012:eu-west-1"),
        ("arn:aws:s3:::bucket", ":"),
        ("not-an-arn", None),
        (None, None),
    ],
)
def test_the_place_of_an_object_is_what_its_arn_says(arn: str | None, place: str | None) -> None:
    (known,) = index(resource("aws_x", "x", {"attributes": {"id": "x", "arn": arn}}))

    assert known.place == place


def test_an_object_without_any_id_is_known_by_its_address() -> None:
    assert identify("x_y", {}, address="x_y.a") == Identity("x_y", "address:x_y.a")


def test_the_index_has_deposed_objects_modules_and_keys_and_leaves_data_out() -> None:
    found = index(
        resource(
            "aws_kms_key", "k", {"attributes": {"id": "1"}}, {"attributes": {"id": "0"}, "deposed": "d"}
        ),
        resource("aws_eip", "e", {"attributes": {"id": "2"}, "index_key": "a"}, module="module.m[0]"),
        {**resource("aws_vpc", "v", {"attributes": {"id": "3"}}), "mode": "data"},
    )

    assert [(known.address, known.deposed, known.id) for known in found] == [
        ("aws_kms_key.k", None, "1"),
        ("aws_kms_key.k", "d", "0"),
        ('module.m[0].aws_eip.e["a"]', None, "2"),
    ]
    assert list(found.by_address) == ["aws_kms_key.k", 'module.m[0].aws_eip.e["a"]']
    assert Identity("aws_kms_key", "0") in found


def test_a_protected_address_is_stateful_whatever_its_type() -> None:
    protection = Protection(addresses=frozenset({"aws_sns_topic.t"}))

    found = index_state(
        state(resource("aws_sns_topic", "t", {"attributes": {"id": "1"}})), protection=protection
    )

    assert [known.stateful for known in found] == [True]


def test_no_state_has_an_empty_index() -> None:
    assert list(index_state(None, protection=NOTHING_EXTRA)) == []


@given(st.lists(st.tuples(NAMES, st.text(min_size=1, max_size=6), st.booleans()), max_size=6))
def test_the_index_reads_back_as_it_was_written(objects: list[tuple[str, str, bool]]) -> None:
    found = index(
        *(
            resource(
                "aws_sqs_queue", name, {"attributes": {"id": value}, **({"deposed": "1"} if old else {})}
            )
            for name, value, old in objects
        )
    )

    assert INDEX.from_json(INDEX.to_json(found)) == found


def test_a_damaged_index_is_refused() -> None:
    with pytest.raises(
        DamagedError, match=r"`schema` must be 'holdfast/identity-index/v1', got 'something/v9'"
    ):
        INDEX.from_json({"schema": "something/v9", "objects": []})
    with pytest.raises(DamagedError, match=r"`objects\.0\.identity` is missing"):
        INDEX.from_json({"schema": "holdfast/identity-index/v1", "objects": [{"type": "x"}]})


def test_a_stateful_object_that_is_gone_is_lost_and_a_stateless_one_is_not() -> None:
    before = index(
        resource("aws_sqs_queue", "q", {"attributes": {"id": "q"}}),
        resource("aws_sns_topic", "t", {"attributes": {"id": "t"}}),
    )

    assert [known.address for known in lost(before, index())] == ["aws_sqs_queue.q"]
    assert lost(before, index(), approved=["aws_sqs_queue.q"]) == ()


def test_a_renamed_stateful_object_is_not_lost() -> None:
    before = index(resource("aws_sqs_queue", "q", {"attributes": {"id": "q"}}))
    now = index(resource("aws_sqs_queue", "other", {"attributes": {"id": "q"}}))

    assert lost(before, now) == ()


def test_a_namesake_made_after_a_destroy_does_not_hide_the_loss() -> None:
    before = index(resource("aws_dynamodb_table", "d", {"attributes": {"id": "d"}}))

    missing = lost(before, before, destroyed=[Identity("aws_dynamodb_table", "d")])

    assert [known.address for known in missing] == ["aws_dynamodb_table.d"]
