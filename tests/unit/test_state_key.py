import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.state_key import InvalidStateKeyError, state_key

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)
regions = st.sampled_from(["eu-west-1", "us-east-1", "us-gov-west-1", "ap-southeast-2"])
parts = st.tuples(names, accounts, regions, names)


def test_the_key_is_service_account_region_environment() -> None:
    key = state_key("orders", "210987654321", "eu-west-1", "prod")

    assert key == "orders/210987654321/eu-west-1/prod/terraform.tfstate"


@given(parts, parts)
def test_two_different_shards_never_share_a_key(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    keys = state_key(*one), state_key(*other)

    assert (keys[0] == keys[1]) == (one == other)


@given(st.text(max_size=70))
def test_a_service_name_never_adds_a_folder_or_climbs_out_of_one(service: str) -> None:
    try:
        key = state_key(service, "210987654321", "eu-west-1", "prod")
    except InvalidStateKeyError:
        return

    assert key.split("/") == [service, "210987654321", "eu-west-1", "prod", "terraform.tfstate"]
    assert service not in {"", ".", ".."}


@pytest.mark.parametrize(
    ("part", "given_parts"),
    [
        ("service", ("..", "210987654321", "eu-west-1", "prod")),
        ("service", ("Orders", "210987654321", "eu-west-1", "prod")),
        ("service", ("orders\n", "210987654321", "eu-west-1", "prod")),
        ("account", ("orders", "21098765432", "eu-west-1", "prod")),
        ("region", ("orders", "210987654321", "eu/west", "prod")),
        ("environment", ("orders", "210987654321", "eu-west-1", "")),
    ],
)
def test_what_is_not_allowed_is_named_with_what_was_got(
    part: str, given_parts: tuple[str, str, str, str]
) -> None:
    with pytest.raises(InvalidStateKeyError, match=f"^{part} must be .*, got "):
        state_key(*given_parts)
