"""Identity providers of an account: our own are managed, others are used."""

from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest

from holdfast_orchestrator.bootstrap.providers import ForeignProvider, foreign_providers
from holdfast_orchestrator.errors import HoldfastError

PROOF = {"Service": "foundation", "Environment": "prod", "ManagedBy": "holdfast"}


@pytest.fixture
def iam() -> Iterator[Any]:
    with moto.mock_aws():
        yield boto3.Session("testing", "testing", region_name="eu-west-1").client("iam")


def create(iam: Any, host: str, **tags: str) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    iam.create_open_id_connect_provider(
        Url=f"https://{host}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40], Tags=listed
    )


def test_a_provider_with_the_tags_of_this_foundation_is_its_own_and_any_other_is_not(iam: Any) -> None:
    create(iam, "token.actions.githubusercontent.com", **PROOF, Team="platform")
    create(iam, "gitlab.com", **{**PROOF, "Environment": "dev"})
    create(iam, "app.terraform.io")

    audiences = ("sts.amazonaws.com",)
    assert foreign_providers(iam, PROOF) == (
        ForeignProvider("app.terraform.io", audiences),
        ForeignProvider("gitlab.com", audiences),
    )


def test_an_account_that_does_not_say_is_no_empty_account() -> None:
    iam: Any = boto3.Session("testing", "testing", region_name="eu-west-1").client(
        "iam", endpoint_url="http://127.0.0.1:1"
    )

    with pytest.raises(HoldfastError, match="which identity providers the account has"):
        foreign_providers(iam, PROOF)
