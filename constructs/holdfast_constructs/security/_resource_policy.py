"""The policy of a queue, a topic or a bucket: it grows while the app runs, and refuses all without TLS."""

import re

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
)
from constructs import Construct

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.policy import Condition, Statement, rendered

# Everybody, who is refused without TLS.
EVERYBODY = "*"


def encrypted_transport_only(actions: str, *resources: str) -> Statement:
    """Return the statement that refuses `actions` on `resources` without TLS."""
    return Statement(
        sid="EncryptedTransportOnly",
        effect="Deny",
        actions=(actions,),
        resources=resources,
        principals=(EVERYBODY,),
        conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
    )


def sid(name: str) -> str:
    """Return the id of a statement for a name: `AllowOrdersTopic` for `orders-topic`."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return "Allow" + "".join(word[:1].upper() + word[1:] for word in words)


class ResourcePolicy:
    """A policy document called `id_` in `scope`; what refuses comes after everything that is allowed."""

    def __init__(self, scope: Construct, id_: str, *refusals: Statement) -> None:
        self._owner = scope.node.id
        self._allowed: list[Statement] = []
        self._refusals = refusals
        self._document = DataAwsIamPolicyDocument(scope, id_, statement=self._rendered())

    @property
    def json(self) -> str:
        """The policy's JSON, as a token."""
        return self._document.json

    def allow(self, statement: Statement) -> None:
        """Add a statement; one that is there already is not added again.

        Raises ConstructError for another one of the same name, which no policy may have.
        """
        if statement in self._allowed:
            return
        if statement.sid in {each.sid for each in (*self._allowed, *self._refusals)}:
            raise ConstructError(
                f"the policy of {self._owner} has another statement {statement.sid} already",
                next_step="give what is allowed a name of its own",
            )
        self._allowed.append(statement)
        self._document.put_statement(self._rendered())

    def _rendered(self) -> list[DataAwsIamPolicyDocumentStatement]:
        return [rendered(each) for each in (*self._allowed, *self._refusals)]
