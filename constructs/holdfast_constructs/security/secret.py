"""A secret that is written nowhere but in Secrets Manager.

Terraform creates the place; the value is put there by people, or made by AWS while Terraform applies:
an ephemeral resource asks for a random password and a write-only argument hands it on, so that it is in no
state, no plan and no file.

    ephemeral random password ──(write-only)──▶ secret ◀── read ── service
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cdktf import Token
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion
from constructs import Construct

from holdfast_constructs._tokens import is_text_token
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

# Write-only arguments came with Terraform 1.11, and with OpenTofu 1.11.
WRITE_ONLY_ENGINE = ">= 1.11.0"

_EXAMPLE = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:orders/prod/stripe-a1b2c3"
_SUFFIX = 7
_ENDING = re.compile(r"[^:]-[A-Za-z0-9]{6}\Z")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A random value, made by AWS while Terraform applies.

    It has `length` (16-4,096) letters and digits, and with `punctuation` signs other than `exclude`. With
    `json_key` the secret is JSON: `fields`, which are no secrets, and the random value under that key.
    Another `version` makes another value.
    """

    length: int = 32
    punctuation: bool = False
    exclude: str = "\"'@/\\"
    json_key: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    version: int = 1

    def __post_init__(self) -> None:
        rules.check_length(self.length)
        rules.check_json_key(self.json_key)
        if self.version < 1:
            raise ConstructError("version", got=self.version, allowed="at least 1")
        if self.fields and self.json_key is None:
            raise ConstructError(
                "fields",
                got=sorted(self.fields),
                allowed="left out without json_key",
                next_step="add json_key",
            )
        if self.json_key in self.fields:
            raise ConstructError("json_key", got=self.json_key, allowed="none of fields")


class SecretAccess:
    """What all secrets offer: `arn`, references to the value, and permission to read it."""

    name: str
    arn: str
    _key_arn: str | None
    _region: str

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "SECRET"

    def value(self, json_key: str | None = None) -> SecretValue:
        """Return the value, or one key of a value that is JSON, for `secrets=` of a service."""
        return SecretValue(arn=self.arn, store="secretsmanager", json_key=json_key, key_arn=self._key_arn)

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs that reads the secret itself: the variable ARN. It has no users."""
        refuse_user(user, "a secret")
        return Access(environment={"ARN": self.arn}, statements=self._read())

    def grant_read(self, grantee: AnyGrantee) -> None:
        """Allow a service, or a role, to read the value."""
        grant_to(grantee, self, "read", *self._read())

    def _read(self) -> tuple[Statement, ...]:
        actions = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
        read = Statement(sid="Read", actions=actions, resources=(self.arn,))
        return (read, *use_key(self._key_arn, "secretsmanager", self._region, "kms:Decrypt"))


@checked
class ImportedSecret(SecretAccess):
    """A secret that somebody else manages; `Secret.import_` returns one."""

    def __init__(self, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> None:
        parts = _parsed(arn)
        if parts is None and name is None:
            raise ConstructError(
                "the ARN of this secret is known only after a deploy, and so is its name",
                next_step='give a name to tell it by: Secret.import_(secret.arn, name="stripe")',
            )
        self.arn = arn
        resource = parts.resource.removeprefix("secret:")[:-_SUFFIX] if parts else ""
        self.name = name or kind_of_name("".join(c if c.isalnum() else "-" for c in resource), "secret")
        self._key_arn = None if key is None else key_arn(key)
        self._region = parts.region if parts else ANY_REGION


@checked
class Secret(Construct, SecretAccess):
    """A secret in Secrets Manager, encrypted with `key`.

    Without more it is created empty, and filled by people: a service that reads it does not start before.
    With `generate` AWS makes a random value. `reference` is a value that Terraform knows only while it
    applies: an ephemeral variable, or an ephemeral resource; `reference_version` counts up when it changes. A
    literal text is refused: it would be in the configuration, which is kept.

    After a delete it can be restored for `recovery_days` (7-30, by default 30 with the target's
    `delete_protection` and 0 without).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: AnyKey,
        description: str | None = None,
        generate: Generated | None = None,
        reference: str | None = None,
        reference_version: int = 1,
        recovery_days: int | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        target = self._stack.target
        _check_source(generate, reference)
        self.name = part_name(self._stack, id_, "secret")
        self._key_arn = key_arn(key, self._stack.target.region)
        self._region = target.region
        # A name that ends in a hyphen and six letters is taken for the ARN of another one.
        if not all(id_.split("-")):
            raise ConstructError(
                "a secret's id", got=id_, allowed="words of letters and digits, single hyphens between"
            )
        self.secret_name = aws_name("secret", target, self._stack.service, *id_.split("-"))
        self.secret = SecretsmanagerSecret(
            self,
            "secret",
            name=self.secret_name,
            description=description or f"{id_} of {self._stack.service} in {target.environment}",
            kms_key_id=self._key_arn,
            recovery_window_in_days=rules.recovery_days(recovery_days, kept=target.delete_protection),
        )
        self.arn = self.secret.arn
        if generate is not None:
            self._write(self._random(generate), generate.version)
        if reference is not None:
            self._write(reference, reference_version)
        if target.delete_protection:
            self._stack.protect(self.secret)

    @classmethod
    def import_(cls, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> ImportedSecret:
        """Return a secret that exists, by its ARN; `key` is what encrypts it, where that is a key of its own.

        `name` becomes part of the ids of what is granted; it is needed only where the ARN is known only after
        a deploy.
        """
        return ImportedSecret(arn, key=key, name=name)

    @classmethod
    def of(cls, arn: str, *, json_key: str | None = None, key: AnyKey | None = None) -> SecretValue:
        """Return the value of a secret by its ARN, a reference too, for `secrets=` of a service.

        `json_key` is a key of a value that is JSON; `key` is what encrypts the secret.
        """
        _parsed(arn)
        encrypted_by = None if key is None else key_arn(key)
        return SecretValue(arn=arn, store="secretsmanager", json_key=json_key, key_arn=encrypted_by)

    def _write(self, value: str, version: int) -> None:
        self._stack.needs_engine(WRITE_ONLY_ENGINE)
        self.version = SecretsmanagerSecretVersion(
            self,
            "value",
            secret_id=self.secret.id,
            secret_string_wo=value,
            secret_string_wo_version=version,
        )

    def _random(self, generate: Generated) -> str:
        """Return the reference to a random password, which cdktf has no class for."""
        kind, id_ = "aws_secretsmanager_random_password", f"{self.secret.friendly_unique_id}_value"
        arguments: dict[str, Any] = {
            "password_length": generate.length,
            "require_each_included_type": True,
            **(
                {"exclude_characters": generate.exclude}
                if generate.punctuation
                else {"exclude_punctuation": True}
            ),
        }
        self._stack.add_override(f"ephemeral.{kind}.{id_}", arguments)
        password = f"ephemeral.{kind}.{id_}.random_password"
        if generate.json_key is None:
            return f"${{{password}}}"
        parts = [f"{_quoted(name)} = {_quoted(value)}" for name, value in sorted(generate.fields.items())]
        parts.append(f"{_quoted(generate.json_key)} = {password}")
        return f"${{jsonencode({{{', '.join(parts)}}})}}"


def _quoted(text: str) -> str:
    """Return a text as the language of Terraform writes it; a token of cdktf stays as it is."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if is_text_token(text) else quoted.replace("${", "$${").replace("%{", "%%{")


def _check_source(generate: Generated | None, reference: str | None) -> None:
    if generate is not None and reference is not None:
        raise ConstructError(
            "a secret has one value, and both generate and reference give one",
            next_step="remove one of the two",
        )
    if reference is not None and not Token.is_unresolved(reference) and "${" not in reference:
        raise ConstructError(
            "reference of a secret",
            got="a text, which is not shown",
            allowed="a reference to what is known only while Terraform applies",
            next_step="use generate=Generated(…) or an ephemeral variable, or fill the secret by hand",
        )


def _parsed(arn: str) -> Arn | None:
    parts = parse_arn(arn, "secretsmanager", what="arn", example=_EXAMPLE)
    if parts is not None and ":" in parts.resource.removeprefix("secret:"):
        raise ConstructError(
            "arn",
            got=arn,
            allowed=f"the ARN of a whole secret, such as {_EXAMPLE}",
            next_step="give the part after it as json_key",
        )
    if parts is not None and _ENDING.search(parts.resource) is None:
        raise ConstructError(
            "arn",
            got=arn,
            allowed=f"with the six characters that Secrets Manager adds, such as {_EXAMPLE}",
            next_step="`aws secretsmanager describe-secret` shows it; a policy without them permits nothing",
        )
    return parts
