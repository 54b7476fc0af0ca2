"""Which identity providers an account has that another than this foundation made: used, and never changed.

There is one of each host in an account, so that two environments of one account share it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.errors import HoldfastError

_ARN = ":oidc-provider/"


@dataclass(frozen=True, slots=True)
class ForeignProvider:
    """An identity provider: its host, with its path where it has one, and the audiences it lets in."""

    host: str
    audiences: tuple[str, ...]


def foreign_providers(iam: Any, proof: Mapping[str, str]) -> tuple[ForeignProvider, ...]:
    """Return the providers without the tags `proof`, sorted. Raises HoldfastError where IAM does not say."""
    import botocore.exceptions  # noqa: PLC0415 - boto3 is loaded by the caller who made the client

    try:
        return tuple(sorted(_foreign(iam, proof), key=lambda each: each.host))
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise HoldfastError(
            f"IAM does not say which identity providers the account has: {error}",
            next_step="use the credentials of an administrator of the account; to see who is calling: "
            "aws sts get-caller-identity",
        ) from None


def _foreign(iam: Any, proof: Mapping[str, str]) -> Iterator[ForeignProvider]:
    for entry in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=entry["Arn"])
        tags = {tag["Key"]: tag["Value"] for tag in provider.get("Tags", ())}
        if not proof.items() <= tags.items():
            yield ForeignProvider(entry["Arn"].partition(_ARN)[2], tuple(provider.get("ClientIDList", ())))
