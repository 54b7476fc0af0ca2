"""Where the secrets of a container are kept, told from the ARNs that are given, references too."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cdktf import DefaultTokenResolver, StringConcat, Token, Tokenization
from constructs import Construct

from holdfast_constructs.security.secret_value import SecretValue

SECRETS_MANAGER, PARAMETER_STORE = "secretsmanager", "ssm"
# A secret's ARN has seven parts; a task definition may name a key, a stage and a version after it.
_SECRET_ARN_PARTS = 7
# Terraform's types: what a reference is to says which service has the value.
_PARAMETER = re.compile(r"\baws_ssm_parameters?(_by_path)?\.")
_SECRET = re.compile(
    r"\baws_secretsmanager_secret(_version|_rotation)?\.|\bmaster_user_secret\b|secret_arn\b"
)
_REFERENCE = re.compile(r"(?P<reference>.*\})(?P<ending>[^}]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """The ARN that a policy names, without a key of the secret, and the services that may have it.

    A reference that does not say what it is to, a variable for example, has both services: an action of
    one service allows nothing of the other's ARNs.
    """

    arn: str
    services: tuple[str, ...]
    key_arn: str | None = None
    plain: bool = False


def secret_places(scope: Construct, secrets: Iterable[str | SecretValue]) -> list[SecretPlace]:
    """Return the places of `secrets`, ARNs as a task definition takes them too, each place once."""
    places: dict[str, SecretPlace] = {}
    keys: dict[str, str] = {}
    for secret in secrets:
        name, place = (
            _typed(scope, secret, keys) if isinstance(secret, SecretValue) else _place(scope, secret)
        )
        known = places.get(name)
        # One text among typed values does not say what encrypts the secret: the other one does.
        places[name] = place if known is None or known.key_arn is None else known
    return [places[name] for name in sorted(places)]


def value_from(secret: str | SecretValue) -> str:
    """Return a secret as a task definition takes it."""
    return secret.value_from if isinstance(secret, SecretValue) else secret


def _typed(scope: Construct, secret: SecretValue, keys: dict[str, str]) -> tuple[str, SecretPlace]:
    """Return the place, with its key as that was called first: each reference has another text."""
    key = secret.key_arn
    if key is not None:
        key = keys.setdefault(_settled(scope, key), key)
    return _settled(scope, secret.arn), SecretPlace(secret.arn, (secret.store,), key, secret.plain)


def _settled(scope: Construct, text: str) -> str:
    return _resolved(scope, text) if Token.is_unresolved(text) else text


def _place(scope: Construct, arn: str) -> tuple[str, SecretPlace]:
    """The place, and what it is called however often it is referred to."""
    if not Token.is_unresolved(arn):
        parts = arn.split(":")
        if parts[2:3] == [PARAMETER_STORE]:
            return arn, SecretPlace(arn, (PARAMETER_STORE,))
        whole = ":".join(parts[:_SECRET_ARN_PARTS])
        return whole, SecretPlace(whole, (SECRETS_MANAGER,))
    split = _REFERENCE.fullmatch(arn)
    reference, ending = (arn, "") if split is None else (split["reference"], split["ending"])
    resolved = _resolved(scope, reference)
    return resolved, SecretPlace(reference, _services(resolved, ending))


def _services(resolved: str, ending: str) -> tuple[str, ...]:
    if _PARAMETER.search(resolved):
        return (PARAMETER_STORE,)
    # Only a secret has keys.
    if ending.startswith(":") or _SECRET.search(resolved):
        return (SECRETS_MANAGER,)
    return (SECRETS_MANAGER, PARAMETER_STORE)


def _resolved(scope: Construct, reference: str) -> str:
    """What is referred to, as its own stack writes it."""
    resolver = DefaultTokenResolver(StringConcat())
    return str(Tokenization.resolve(reference, scope=scope, resolver=resolver, preparing=False))
