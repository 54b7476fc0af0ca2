import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.app.foreign import service_part
from holdfast_orchestrator.state_key import InvalidStateKeyError, file_name, key_name, state_key

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


# What cdktf allows as a stack's id: no whitespace, none of a glob's characters; slashes become hyphens.
stack_ids = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Z"), exclude_characters="/*?[]{}!"),
    min_size=1,
    max_size=200,
)
likely_ids = st.from_regex(r"[A-Za-z0-9._:@-]{1,140}", fullmatch=True)
services = st.none() | names


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        ("orders", "orders"),
        ("MyStack", "mystack"),
        ("my_stack", "my-stack"),
        ("prod.network", "prod-network"),
        ("__Base__", "base"),
        ("Größe", "groe-aedc3f80"),
        ("网络", "stack-97b31b5d"),
        ("a" * 64, "a" * 54 + "-ffe054fe"),
        ("_", "stack-d2e2adf7"),
    ],
)
def test_an_id_that_is_no_part_of_a_key_becomes_one(stack: str, part: str) -> None:
    assert key_name(stack) == part


@given(stack_ids | likely_ids, services)
def test_any_id_that_cdktf_allows_has_a_key(stack: str, service: str | None) -> None:
    part = service_part(stack, service)

    assert state_key(part, "210987654321", "eu-west-1", "prod").split("/")[0] == part
    assert service is None or part == service or part.startswith(f"{service}-")


@pytest.mark.parametrize(
    ("stack", "service", "part"),
    [
        (":", "0--0", "0--0-stack-e7ac0786"),
        ("My_Stack", "a--b", "a--b-my-stack"),
        ("a" * 60, "a--b", "a--b-" + "a" * 49 + "-644a48a2"),
        ("My_Stack", "orders", "orders-my-stack"),
    ],
)
def test_a_service_with_two_hyphens_keeps_them(stack: str, service: str, part: str) -> None:
    assert service_part(stack, service) == part


@given(names, services)
def test_an_id_that_was_a_part_of_a_key_before_keeps_its_key(stack: str, service: str | None) -> None:
    below = service is None or stack == service or stack.startswith(f"{service}-")

    assert service_part(stack, service) == (stack if below else f"{service}-{stack}")


@given(stack_ids | likely_ids, stack_ids | likely_ids)
def test_different_ids_never_share_a_file(one: str, other: str) -> None:
    files = file_name(one), file_name(other)

    assert (files[0] == files[1]) == (one == other)
    assert not any("/" in name or name.startswith((".", "-")) or len(name) > 128 for name in files)


@pytest.mark.parametrize("name", ["orders-prod-eu-west-1", "My_Stack", "prod.network", "a" * 128])
def test_a_name_that_was_a_files_name_before_still_is(name: str) -> None:
    assert file_name(name) == name


def test_a_name_that_looks_like_the_file_of_another_is_none() -> None:
    assert file_name(file_name("a:b")) != file_name("a:b")
    assert file_name("web.lock") != "web.lock"


@given(names, parts, parts)
def test_a_project_s_states_are_nobody_else_s(
    project: str, one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    key = state_key(*one, project=project)

    assert key.split("/")[0] == f"{project}.{one[0]}"
    assert len(key.split("/")) == 5
    assert key != state_key(*other)


def test_a_project_that_could_climb_out_of_its_folder_is_refused() -> None:
    with pytest.raises(InvalidStateKeyError, match="project must be 1-63 of a-z"):
        state_key("orders", "210987654321", "eu-west-1", "prod", project="../shop")
