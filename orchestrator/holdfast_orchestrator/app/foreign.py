"""Shards of an app that knows nothing of Holdfast: any cdktf app in Python can be deployed.

What it does not say comes from cdktf.json's `context.holdfast`, else from options. Its stacks lie in
local state files by default; in our copy of the configuration the backend becomes the S3 state at the
shard's key, and so do the `terraform_remote_state` data sources through which cdktf hands values from
stack to stack. A state that lies somewhere else is noted (`other_backends.py`): it has to be taken over
first.
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.json_model import explain
from holdfast_orchestrator.app.manifest import (
    LOCAL,
    RetentionSettings,
    Shard,
    Stack,
    StateLocation,
    checked_state_key,
)
from holdfast_orchestrator.app.other_backends import state_elsewhere
from holdfast_orchestrator.app.project_file import ForeignSettings
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.state_key import is_key_name, key_name, key_name_below
from holdfast_orchestrator.system.runtime import Aws
from holdfast_orchestrator.terraform.backends import declared_backend, read_from, remote_states

# What an app says of a resource that must be kept; `gate.protection` reads the same words in a state.
_KEPT_BY_THEIR_OWN_WORD = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")
_EMULATOR = {
    "use_path_style": True,
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDefaults:
    """What a foreign app does not state: cdktf.json's settings, options, and the account of last resort.

    `find_account(region, cloud)` asks AWS for the caller's account. `folder` is the project's, None for none.
    `custom_endpoint` says that AWS_ENDPOINT_URL leads somewhere else than to AWS.
    """

    settings: ForeignSettings
    options: ForeignSettings
    find_account: Callable[[str, str], str]
    folder: Path | None = None
    custom_endpoint: bool = False
    keeping: Mapping[str, Any] = field(default_factory=dict)
    accepted_differences: Any = None


def foreign_shards(stacks: tuple[Stack, ...], defaults: ForeignDefaults) -> tuple[Shard, ...]:
    """Return the shard of each stack. Raises SettingsError where something is missing or not allowed."""
    settings = merged(defaults.settings, defaults.options)
    bucket, region = _needed(settings, "state_bucket"), _needed(settings, "region")
    environment = _named(settings, "environment")
    service = _named(settings, "service") if settings.service is not None else None
    cloud = "local" if environment == LOCAL and not defaults.custom_endpoint else "aws"
    account = settings.account or defaults.find_account(region, cloud)
    states = {
        stack.name: StateLocation(
            bucket=bucket,
            region=region,
            key=checked_state_key(
                f"stack {stack.name!r}",
                service_part(stack.name, service),
                account,
                region,
                environment,
            ),
        )
        for stack in stacks
    }
    emulated = defaults.custom_endpoint or cloud == "local"
    documents = {stack.name: _document(stack) for stack in stacks}
    keepers = _keepers(documents)
    keeping = _keeping(defaults.keeping)
    return tuple(
        Shard(
            name=stack.name,
            directory=stack.directory,
            configuration=_in_s3(stack, documents, states, keepers=keepers, emulated=emulated),
            service=service_part(stack.name, service),
            environment=environment,
            account=account,
            region=region,
            state=states[stack.name],
            keeping=keeping,
            cloud="local" if cloud == "local" else "aws",
            protected=_protected(documents[stack.name]),
            depends_on=stack.depends_on,
            elsewhere=state_elsewhere(stack, documents[stack.name], states[stack.name], defaults.folder),
        )
        for stack in stacks
    )


def calling_account(aws: Aws, *, region: str, environ: Mapping[str, str]) -> str:
    """Return the account of these credentials. Raises SettingsError where AWS does not answer."""
    import botocore.exceptions  # noqa: PLC0415 - half a second that most commands do not need

    try:
        account: str = aws.client("sts", region=region, environ=environ).get_caller_identity()["Account"]
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise SettingsError(
            f"this app does not say which account it belongs to, and AWS does not either: {error}",
            next_step="set context.holdfast.account in cdktf.json, give --account, or log in to AWS",
        ) from None
    return account


def service_part(stack: str, service: str | None) -> str:
    """Return the service in the state key: the stack's name, below `service` where that is set.

    A name that is no part of a key becomes one: `My_Stack` is `my-stack` there.
    """
    part = key_name(stack)
    if service is None or part == service or part.startswith(f"{service}-"):
        return part
    return key_name_below(service, stack)


def merged(settings: ForeignSettings, options: ForeignSettings) -> ForeignSettings:
    """Return the settings with gaps filled from options. Raises SettingsError where both differ."""
    values = {}
    for name in (setting.name for setting in fields(ForeignSettings)):
        set_, asked = getattr(settings, name), getattr(options, name)
        if set_ is not None and asked is not None and set_ != asked:
            raise SettingsError(
                f"cdktf.json sets context.holdfast.{name} to {set_!r}, "
                f"and {_option(name)} asks for {asked!r}",
                next_step="leave the option out, or change the setting",
            )
        values[name] = set_ if set_ is not None else asked
    return ForeignSettings(**values)


def _keeping(given: Mapping[str, Any]) -> RetentionSettings:
    from holdfast_orchestrator.app.manifest_schema import KeepingEntry  # noqa: PLC0415 - pydantic, only when used

    try:
        return KeepingEntry.model_validate(given).as_keeping()
    except ValueError as error:
        raise SettingsError(f"cdktf.json: context.holdfast.keeping: {explain(error)}") from None


def _needed(settings: ForeignSettings, name: str) -> str:
    value: str | None = getattr(settings, name)
    if value:
        return value
    raise SettingsError(
        f"this app writes no holdfast.json, so its {name.replace('_', ' ')} must be set",
        next_step=f'set "context": {{"holdfast": {{"{name}": "…"}}}} in cdktf.json, or give {_option(name)}',
    )


def _named(settings: ForeignSettings, name: str) -> str:
    value = _needed(settings, name)
    if is_key_name(value):
        return value
    given = "" if name == "service" else f", or give {_option(name)}"
    raise SettingsError(
        f"the {name} of this app must be 1-63 of a-z, 0-9 and inner hyphens, got {value!r}",
        next_step=f'set "context": {{"holdfast": {{"{name}": "{key_name(value)}"}}}} in cdktf.json{given}',
    )


def _option(name: str) -> str:
    return {"environment": "--env"}.get(name, f"--{name.replace('_', '-')}")


def _document(stack: Stack) -> Mapping[str, Any]:
    try:
        document = json.loads(stack.configuration)
    except ValueError as error:
        raise SettingsError(
            f"{stack.name}: its cdk.tf.json is {explain(error)}", next_step="holdfast synth"
        ) from None
    if not isinstance(document, dict):
        raise SettingsError(f"{stack.name}: its cdk.tf.json is not an object", next_step="holdfast synth")
    return document


def _keepers(documents: Mapping[str, Mapping[str, Any]]) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Map each place that the app keeps a state at to the stacks that declare it."""
    keepers: dict[tuple[str, ...], tuple[str, ...]] = {}
    for name, document in documents.items():
        backend = declared_backend(document)
        if backend is not None:
            keepers[backend.identity] = (*keepers.get(backend.identity, ()), name)
    return keepers


def _in_s3(
    stack: Stack,
    documents: Mapping[str, Mapping[str, Any]],
    states: Mapping[str, StateLocation],
    *,
    keepers: Mapping[tuple[str, ...], tuple[str, ...]],
    emulated: bool,
) -> bytes:
    document = copy.deepcopy(dict(documents[stack.name]))
    terraform = document.setdefault("terraform", {})
    terraform.pop("cloud", None)
    terraform["backend"] = {"s3": _backend(states[stack.name], emulated=emulated)}
    for _, source in remote_states(document):
        read = read_from(source)
        upstream = _upstream(stack, keepers.get(read.identity, ()))
        if upstream is not None and read.place != f"s3://{states[upstream].bucket}/{states[upstream].key}":
            source["backend"] = "s3"
            source["config"] = _backend(states[upstream], emulated=emulated, locked=False)
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _upstream(stack: Stack, keepers: tuple[str, ...]) -> str | None:
    """The stack whose state is read: where several share a place, the one this stack depends on."""
    if len(keepers) > 1:
        keepers = tuple(name for name in keepers if name in stack.depends_on)
    return keepers[0] if len(keepers) == 1 else None


def _backend(state: StateLocation, *, emulated: bool, locked: bool = True) -> dict[str, Any]:
    return {
        "bucket": state.bucket,
        "key": state.key,
        "region": state.region,
        "encrypt": True,
        **({"use_lockfile": True} if locked else {}),
        **(_EMULATOR if emulated else {}),
    }


def _protected(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The resources that the app itself protects: prevent_destroy, or deletion protection."""
    return tuple(
        sorted(
            f"{kind}.{name}"
            for kind, blocks in document.get("resource", {}).items()
            for name, block in blocks.items()
            if (block.get("lifecycle") or {}).get("prevent_destroy") is True
            or any(block.get(word) is True for word in _KEPT_BY_THEIR_OWN_WORD)
        )
    )
