"""Where secrets are in Terraform's documents, whether or not Terraform marks them: found by name.

Terraform marks values in a plan. These are found before there is a plan, and where there is none: in the
configuration that was synthesized, in the state, in whatever a plan read beside its changes. Three kinds:
attributes that hold nothing but secrets (`password`, `secret_string`, the `value` of a SecureString …),
values declared sensitive (variables, outputs), and the environment of containers, whose values may be
secrets. Those of a container that read like names are hidden in their place only (`without_environment`):
learned, a value such as "production" would blot out text that has nothing to do with it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.system.redaction import SENSITIVE, leaves, marked

_ATTRIBUTES = frozenset({
    "access_token",
    "api_key",
    "auth_token",
    "client_secret",
    "master_password",
    "master_user_password",
    "passphrase",
    "password",
    "plaintext",
    "private_key",
    "private_key_pem",
    "refresh_token",
    "secret",
    "secret_access_key",
    "secret_binary",
    "secret_key",
    "secret_string",
    "session_token",
    "token",
})  # fmt: skip
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_DEFINITIONS = "container_definitions"
_SECRET_NAME = re.compile(r"(?i)(secret|token|passw|private|credential|api_?key|auth)")
# Long, with letters and digits, and none of the signs that addresses and names are made of.
_LOOKS_SECRET = re.compile(r"(?=.*[A-Za-z])(?=.*\d)[^\s/.:]{12,}")


def secrets_in_configuration(configuration: bytes) -> Iterator[str]:
    """Yield the secrets written out in a cdk.tf.json; nothing where it is no JSON document."""
    try:
        document = json.loads(configuration)
    except ValueError:
        return
    yield from _by_name(document)
    for variable in _blocks(document, "variable"):
        if variable.get("sensitive"):
            yield from _texts(variable.get("default"))
    for output in _blocks(document, "output"):
        if output.get("sensitive"):
            yield from _texts(output.get("value"))


def secrets_in_state(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets a state holds."""
    for output in (document.get("outputs") or {}).values():
        if output.get("sensitive"):
            yield from _texts(output.get("value"))
    for resource in document.get("resources") or ():
        for instance in resource.get("instances") or ():
            yield from _by_name(instance.get("attributes"))


def secrets_beside_changes(shown: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets of a plan that are in none of its changes: variables, and what it has read."""
    declared = ((shown.get("configuration") or {}).get("root_module") or {}).get("variables") or {}
    for name, variable in (shown.get("variables") or {}).items():
        if (declared.get(name) or {}).get("sensitive"):
            yield from _texts(variable.get("value"))
    for part in (shown.get("prior_state") or {}, {"values": shown.get("planned_values")}):
        yield from _in_values(part.get("values") or {})


def without_environment(value: Any) -> Any:
    """Return the attributes of a resource with the environment of containers hidden."""
    if isinstance(value, Mapping):
        return {name: _without(name, inner) for name, inner in value.items()}
    return value


def _without(name: str, value: Any) -> Any:
    if name != _DEFINITIONS or not isinstance(value, str):
        return value
    definitions = _parsed(value)
    for variable in _variables(definitions):
        variable["value"] = SENSITIVE
    return value if definitions is None else json.dumps(definitions)


def _in_values(values: Mapping[str, Any]) -> Iterator[str]:
    for output in (values.get("outputs") or {}).values():
        if output.get("sensitive"):
            yield from _texts(output.get("value"))
    modules = [values.get("root_module") or {}]
    for module in modules:  # grows while it is walked
        modules.extend(module.get("child_modules") or ())
        for resource in module.get("resources") or ():
            for secret in marked(resource.get("values"), resource.get("sensitive_values")):
                yield from _texts(secret)
            yield from _by_name(resource.get("values"))


def _by_name(value: Any) -> Iterator[str]:
    match value:
        case Mapping():
            secure = value.get("type") == "SecureString"
            for name, inner in value.items():
                if name in _ATTRIBUTES or (secure and name == "value"):
                    yield from _texts(inner)
                elif name == _DEFINITIONS:
                    yield from _telling(inner)
                else:
                    yield from _by_name(inner)
        case list():
            for inner in value:
                yield from _by_name(inner)
        case _:
            return


def _telling(definitions: Any) -> Iterator[str]:
    """The values of a container's environment that can only be secrets."""
    for variable in _variables(_parsed(definitions) if isinstance(definitions, str) else definitions):
        value = str(variable.get("value"))
        if _SECRET_NAME.search(str(variable.get("name"))) or _LOOKS_SECRET.fullmatch(value):
            yield from _texts(value)


def _variables(definitions: Any) -> Iterator[dict[str, Any]]:
    for container in definitions if isinstance(definitions, list) else ():
        if isinstance(container, dict):
            yield from (each for each in container.get("environment") or () if isinstance(each, dict))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _texts(value: Any) -> Iterator[str]:
    """Every text inside; of one with references, the parts between them."""
    for text in leaves(value):
        yield from _REFERENCE.split(text)


def _blocks(document: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    by_name = document.get(kind) if isinstance(document, Mapping) else None
    yield from (block for block in (by_name or {}).values() if isinstance(block, Mapping))
