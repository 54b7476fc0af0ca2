import subprocess
import sys

import pytest

import holdfast_constructs


def test_every_public_name_has_a_home() -> None:
    assert sorted(holdfast_constructs._HOMES) == sorted(holdfast_constructs.__all__)


@pytest.mark.parametrize("name", holdfast_constructs.__all__)
def test_every_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    value = getattr(holdfast_constructs, name)

    assert value.__module__ == f"holdfast_constructs.{holdfast_constructs._HOMES[name]}"
    assert value.__doc__


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="'holdfast_constructs' has no attribute 'Cupboard'"):
        _ = holdfast_constructs.Cupboard


@pytest.mark.parametrize(("old", "new"), [("Gateway", "LoadBalancer"), ("Keys", "Key")])
def test_a_name_of_the_version_before_is_the_same_class_and_names_the_new_one(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"{old} is now {new};") as warned:
        value = getattr(holdfast_constructs, old)

    assert value is getattr(holdfast_constructs, new)
    assert [warning.filename for warning in warned] == [__file__]
    assert old not in holdfast_constructs.__all__


def test_a_stack_with_a_network_only_reads_no_bindings_of_a_firewall() -> None:
    code = (
        "import sys\n"
        "from holdfast_constructs import HoldfastApp, Key, Network, ServiceStack\n"
        "print(*sorted(name for name in sys.modules if name.startswith('cdktf_cdktf_provider_aws.')))"
    )

    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert "cdktf_cdktf_provider_aws.vpc" in output.split()
    assert "wafv2" not in output
    assert "db_instance" not in output
