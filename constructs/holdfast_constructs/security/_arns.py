"""ARNs taken apart, as far as they are known when the app runs."""

import re
from dataclasses import dataclass

from cdktf import Fn, Token

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.errors import ConstructError

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12}|)"
    r":(?P<resource>.+)"
)
# Stands in a condition for a region that is known only after a deploy.
ANY_REGION = "*"
_RESOURCE = 5


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN; `resource` is everything after the account."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def domain(self) -> str:
        """The domain of AWS's endpoints in this partition."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


def parse_arn(arn: str, service: str, *, what: str, example: str) -> Arn | None:
    """Return the parts of the ARN of something of `service`, or None for one that only a deploy knows.

    Raises ConstructError, naming `what` and an `example`, for any other text.
    """
    if is_text_token(arn) or arn.startswith("${"):
        return None
    match = _ARN.fullmatch(arn)
    if match is None or match["service"] != service:
        raise ConstructError(what, got=arn, allowed=f"an ARN such as {example}")
    return Arn(**match.groupdict())


def name_in(arn: str) -> str:
    """Return the reference to what comes after the account in an ARN that is known only after a deploy."""
    if is_text_token(arn):
        return Token.as_string(Fn.element(Fn.split(":", arn), _RESOURCE))
    # cdktf's functions would write a reference that is a text as that text.
    return f'${{element(split(":", "{arn}"), {_RESOURCE})}}'
