"""What encrypts a part: a Key of ours, a key of cdktf's bindings, or the ARN of one that exists."""

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security._arns import ANY_REGION, parse_arn
from holdfast_constructs.security.keys import EncryptionKey, Key
from holdfast_constructs.security.policy import Condition, Statement

AnyKey = EncryptionKey | str

_EXAMPLE = "arn:aws:kms:eu-west-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def key_arn(key: AnyKey, region: str | None = None) -> str:
    """Return the ARN of a key; raises ConstructError for a text that is none, or the ARN of an alias.

    With `region`, where what it encrypts is, a key of another one is refused: AWS KMS, "Keys are regional".
    """
    if not isinstance(key, str):
        return key.arn
    arn = parse_arn(key, "kms", what="key", example=_EXAMPLE)
    if arn is not None and not arn.resource.startswith("key/"):
        raise ConstructError(
            "key",
            got=key,
            allowed=f"the ARN of a key, such as {_EXAMPLE}",
            next_step="`aws kms describe-key` shows the key of an alias; policies do not follow aliases",
        )
    if arn is not None and region is not None and arn.region != region:
        raise ConstructError(
            "key",
            got=key,
            allowed=f"a key of {region}, where what it encrypts is",
            next_step="give a key of that region, or a replica there of one of several regions",
        )
    return key


def check_key(key: AnyKey | None, owner: str) -> None:
    """Raise ConstructError where an AWS service is to deliver to `owner`, and a Key of ours lets none in."""
    if isinstance(key, Key) and key.purpose != "messages":
        raise ConstructError(
            f"the key of {owner} lets no AWS service in that delivers to it",
            got=key.purpose,
            allowed="a key with the purpose 'messages'",
            next_step='give it Key(…, purpose="messages")',
        )


def use_key(arn: str | None, service: str, region: str, *actions: str) -> tuple[Statement, ...]:
    """Return the statement that lets `service` use a key on the caller's behalf; none without a key."""
    if arn is None:
        return ()
    through = Condition(
        "StringLike" if region == ANY_REGION else "StringEquals",
        "kms:ViaService",
        (f"{service}.{region}.amazonaws.com",),
    )
    return (Statement(sid="UseKey", actions=actions, resources=(arn,), conditions=(through,)),)
