import pytest

from holdfast_constructs.testing import Template

SUBNETS = Template(
    {
        "//": {"metadata": {"version": "0.21.0"}},
        "resource": {
            "aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}},
            "aws_subnet": {
                "b": {"//": {"path": "x"}, "zone": "b", "tags": {"Tier": "public", "Name": "b"}, "size": 1},
                "a": {"zone": "a", "tags": {"Tier": "public"}, "size": 0, "rules": [{"port": 1, "to": "x"}]},
            },
        },
        "data": {"aws_region": {"here": {}}},
    }
)


def test_addresses_are_sorted_and_name_every_resource() -> None:
    assert SUBNETS.addresses() == ("aws_subnet.a", "aws_subnet.b", "aws_vpc.main")


def test_cdktf_s_own_remarks_are_left_out() -> None:
    assert "//" not in SUBNETS.configuration
    assert "//" not in SUBNETS.resources("aws_subnet")["aws_subnet.b"]


def test_data_sources_have_addresses_of_their_own() -> None:
    assert SUBNETS.data("aws_region") == {"data.aws_region.here": {}}


def test_a_block_may_have_more_than_is_asked_for() -> None:
    SUBNETS.has_resource("aws_subnet", tags={"Tier": "public"}, rules=[{"port": 1}])


def test_an_attribute_that_differs_is_told_for_every_candidate() -> None:
    with pytest.raises(AssertionError) as failure:
        SUBNETS.has_resource("aws_subnet", zone="c")

    assert str(failure.value).splitlines() == [
        "no aws_subnet with zone='c'",
        "  aws_subnet.a: zone is 'a'",
        "  aws_subnet.b: zone is 'b'",
    ]


def test_a_type_that_is_missing_is_told_with_the_types_that_are_there() -> None:
    with pytest.raises(AssertionError) as failure:
        SUBNETS.has_resource("aws_lb")

    assert "the stack has no aws_lb at all\n  there is: aws_subnet, aws_vpc" in str(failure.value)


def test_a_number_is_no_truth_value() -> None:
    with pytest.raises(AssertionError, match=r"aws_subnet\.b: size is 1"):
        SUBNETS.has_resource("aws_subnet", size=True)


def test_a_list_of_another_length_does_not_match() -> None:
    with pytest.raises(AssertionError, match=r"aws_subnet\.a: rules is \["):
        SUBNETS.has_resource("aws_subnet", rules=[])


def test_an_unwanted_resource_is_shown() -> None:
    SUBNETS.has_no_resource("aws_subnet", zone="c")
    with pytest.raises(AssertionError, match=r"unwanted aws_subnet with zone='a':\n  aws_subnet\.a"):
        SUBNETS.has_no_resource("aws_subnet", zone="a")


def test_the_one_resource_is_returned_and_several_are_not() -> None:
    assert SUBNETS.resource("aws_subnet", zone="a")["size"] == 0
    with pytest.raises(AssertionError, match="expected one aws_subnet, found 2"):
        SUBNETS.resource("aws_subnet")
