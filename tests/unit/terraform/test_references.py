"""Which blocks a configuration declares, however its JSON is nested."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.terraform.json_values import blocks
from holdfast_orchestrator.terraform.references import declares

NAMES, KINDS = st.sampled_from("abc"), st.sampled_from(["aws_x", "aws_y"])
BODIES: Any = st.just({}) | st.lists(st.just({}), max_size=2)


def once_or_more(values: Any) -> Any:
    """Terraform takes an object, or a list of objects."""
    return values | st.lists(values, max_size=2)


CONFIGURATIONS = st.fixed_dictionaries(
    {},
    optional={
        "resource": once_or_more(
            st.dictionaries(KINDS, once_or_more(st.dictionaries(NAMES, BODIES, max_size=2)), max_size=2)
        )
    },
)


@given(CONFIGURATIONS, KINDS, NAMES, st.sampled_from(["", "[0]", '["k"]']))
def test_an_address_is_declared_where_its_block_is(
    configuration: dict[str, Any], kind: str, name: str, index: str
) -> None:
    there = {(kind, name) for kind, name, _ in blocks(configuration, "resource")}

    assert declares(configuration, f"{kind}.{name}{index}") is ((kind, name) in there)


def test_an_object_of_a_module_is_declared_by_the_call() -> None:
    assert declares({"module": [{"m": {}}]}, "module.m[0].aws_x.a")
    assert not declares({"module": {"m": {}}, "resource": {"aws_x": {"a": {}}}}, "module.n.aws_x.a")
