"""A secret by reference: where a value is kept, apart from the key of it and from what encrypts it.

A task definition gets `arn:key::`, and the role that starts the task a permission on the ARN alone and on
the one key. Nobody has to take a text apart that may be known only after a deploy.
"""

from dataclasses import dataclass
from typing import Literal

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security._secret_rules import check_json_key

Store = Literal["secretsmanager", "ssm"]


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """A value for `secrets=` of a service; `Secret.value`, `Secret.of` and `Parameter.value` return one.

    `json_key` names a part of a secret that is JSON, `key_arn` the key of KMS that encrypts it, where known;
    `plain` is a value that no key encrypts.
    """

    arn: str
    store: Store
    json_key: str | None = None
    key_arn: str | None = None
    plain: bool = False

    def __post_init__(self) -> None:
        check_json_key(self.json_key)
        if self.json_key is not None and self.store == "ssm":
            raise ConstructError(
                "json_key",
                got=self.json_key,
                allowed="left out for a parameter: it has no keys",
                next_step="keep it in a Secret, or read the whole parameter",
            )

    @property
    def value_from(self) -> str:
        """The reference as a task definition takes it."""
        return self.arn if self.json_key is None else f"{self.arn}:{self.json_key}::"
