"""A setting in Parameter Store that several services read, by a name that stays.

It is plain text: what is secret is a Secret. A SecureString that exists is referred to with `Parameter.of`.
"""

from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter
from constructs import Construct

from holdfast_constructs._tokens import as_written
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security import _secret_rules as rules
from holdfast_constructs.security._any_key import AnyKey, key_arn, use_key
from holdfast_constructs.security._arns import ANY_REGION, Arn, parse_arn
from holdfast_constructs.security._granting import AnyGrantee, grant_to, kind_of_name, part_name, refuse_user
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.security.secret_value import SecretValue

_EXAMPLE = "arn:aws:ssm:eu-west-1:210987654321:parameter/orders/prod/flags"


class ParameterAccess:
    """What all parameters offer: `arn`, a reference to the value, and permission to read it."""

    name: str
    arn: str
    _key_arn: str | None
    _region: str
    _plain: bool

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "PARAMETER"

    def value(self) -> SecretValue:
        """Return the value, for `secrets=` of a service."""
        return SecretValue(arn=self.arn, store="ssm", key_arn=self._key_arn, plain=self._plain)

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs that reads it by itself: the variable ARN. It has no users."""
        refuse_user(user, "a parameter")
        return Access(environment={"ARN": self.arn}, statements=self._read())

    def grant_read(self, grantee: AnyGrantee) -> None:
        """Allow a service, or a role, to read the value."""
        grant_to(grantee, self, "read", *self._read())

    def _read(self) -> tuple[Statement, ...]:
        read = Statement(sid="Read", actions=("ssm:GetParameter", "ssm:GetParameters"), resources=(self.arn,))
        return (read, *use_key(self._key_arn, "ssm", self._region, "kms:Decrypt"))


@checked
class ImportedParameter(ParameterAccess):
    """A parameter that somebody else manages; `Parameter.import_` returns one."""

    def __init__(self, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> None:
        parts = _parsed(arn)
        if parts is None and name is None:
            raise ConstructError(
                "the ARN of this parameter is known only after a deploy, and so is its name",
                next_step='give a name to tell it by: Parameter.import_(parameter.arn, name="flags")',
            )
        self.arn = arn
        path = parts.resource.removeprefix("parameter/") if parts else ""
        self.name = name or kind_of_name("".join(c if c.isalnum() else "-" for c in path), "parameter")
        self._key_arn, self._plain = None if key is None else key_arn(key), False
        self._region = parts.region if parts else ANY_REGION


@checked
class Parameter(Construct, ParameterAccess):
    """A plain text in Parameter Store. Raises ConstructError for a secret, and for what SSM would refuse."""

    def __init__(self, scope: Construct, id_: str, *, value: str, description: str | None = None) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        target = self._stack.target
        rules.check_parameter(value)
        self.name = part_name(self._stack, id_, "parameter")
        self._key_arn, self._plain = None, True
        self._region = target.region
        self.parameter_name = aws_name("parameter", target, self._stack.service, id_)
        self.parameter = SsmParameter(
            self,
            "parameter",
            name=self.parameter_name,
            description=description or f"{id_} of {self._stack.service} in {target.environment}",
            type="String",
            value=as_written(value),
        )
        self.arn = self.parameter.arn

    @classmethod
    def import_(cls, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> ImportedParameter:
        """Return a parameter that exists, by its ARN; `key` is what encrypts a SecureString.

        `name` becomes part of the ids of what is granted; it is needed only where the ARN is known only after
        a deploy.
        """
        return ImportedParameter(arn, key=key, name=name)

    @classmethod
    def of(cls, arn: str, *, key: AnyKey | None = None) -> SecretValue:
        """Return the value of a parameter by its ARN, a reference too, for `secrets=` of a service."""
        _parsed(arn)
        return SecretValue(arn=arn, store="ssm", key_arn=None if key is None else key_arn(key))


def _parsed(arn: str) -> Arn | None:
    return parse_arn(arn, "ssm", what="arn", example=_EXAMPLE)
