"""Health checks as holdfast.json has them, validated, with the environment's overrides applied.

    {"kind": "ecs_service_steady", "name": "api-steady", "cluster": {"output": "cluster"}, "service": "api",
     "overrides": {"window": 120}}

A field that is known only after the deploy is there as `{"output": NAME}` and is put in by `resolved`.
A misspelt field is an error and never a check that does not check. All times are in seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from holdfast_orchestrator.app.json_model import explain
from holdfast_orchestrator.errors import HoldfastError, SettingsError

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import Shard

C = TypeVar("C", bound="BaseCheck")

Seconds = Annotated[float, Field(gt=0, le=86400)]
_HTTP_STATUS = Annotated[int, Field(ge=100, le=599)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Output(_Strict):
    """A value that is an output of the shard."""

    output: Annotated[str, Field(min_length=1)]


Text = Annotated[str, Field(min_length=1)] | Output


class Overrides(_Strict):
    """What is different in one environment. A check is switched off with a reason only."""

    timeout: Seconds | None = None
    interval: Seconds | None = None
    window: Seconds | None = None
    enabled: bool = True
    reason: str | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "Overrides":
        if not self.enabled and not (self.reason or "").strip():
            raise ValueError("a check that is switched off needs a `reason`")
        return self


class BaseCheck(_Strict):
    """What all kinds share.

    A look is made every `interval` and given up after `timeout`. `successes` looks in a row pass the check;
    more than `failures` unhealthy ones fail it (None: only the end of the window does). `window` is how long
    all of it may take. `on_inconclusive` decides where the window ends without any clear answer.
    """

    name: Annotated[str, Field(min_length=1, max_length=128)]
    interval: Seconds = 5
    timeout: Seconds = 30
    successes: Annotated[int, Field(ge=1)] = 1
    failures: Annotated[int, Field(ge=0)] | None = None
    # Ten minutes are what the AWS SDKs' own waiters for services and targets allow.
    window: Seconds = 600
    on_inconclusive: Literal["fail", "pass"] = "fail"
    overrides: Overrides = Overrides()

    @property
    def holds(self) -> bool:
        """Whether the target must stay well for the whole window, instead of becoming well within it."""
        return False

    @property
    def off(self) -> str | None:
        """Why the check is switched off; None where it is not."""
        return None if self.overrides.enabled else self.overrides.reason


class EcsServiceSteady(BaseCheck):
    """The ECS service runs what was planned, in the number asked for, and its rollout is completed.

    `task_definition` is the planned one; where it is missing, `watch.pinned` finds it in the state.
    """

    kind: Literal["ecs_service_steady"]
    cluster: Text
    service: Text
    task_definition: Text | None = None


class AlbTargetsHealthy(BaseCheck):
    """The target group has at least `at_least` targets, and all of them are healthy."""

    kind: Literal["alb_targets_healthy"]
    target_group_arn: Text
    at_least: Annotated[int, Field(ge=1)] = 1


class Http(BaseCheck):
    """`url` (with `path` added) answers with one of `status`, and with `marker` in the body where given."""

    kind: Literal["http"]
    url: Text
    path: Annotated[str, Field(pattern=r"^/")] | None = None
    status: tuple[_HTTP_STATUS, ...] = (200,)
    marker: Text | None = None
    timeout: Seconds = 10
    window: Seconds = 120


class Alarm(BaseCheck):
    """The CloudWatch alarm `alarm` is not in ALARM at any time of the window.

    `region` is given where it is not the shard's.
    """

    kind: Literal["alarm"]
    alarm: Text
    region: str | None = None
    interval: Seconds = 15
    failures: Annotated[int, Field(ge=0)] | None = 0
    window: Seconds = 300

    @property
    def holds(self) -> bool:
        """An alarm has to stay silent for the whole window."""
        return True


class Command(BaseCheck):
    """A program of the user's own ends with 0. Started without a shell, in the project's folder."""

    kind: Literal["command"]
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | Output
    timeout: Seconds = 60
    window: Seconds = 300


class EcsTaskSucceeds(BaseCheck):
    """A task that is started now ends with exit code 0, that of `container`: a migration, for example.

    Where a task of the same task definition runs already, or has ended with 0 a short time ago, that one
    counts. `window` is how long it may run; it is not stopped at the end of it.
    """

    kind: Literal["ecs_task_succeeds"]
    cluster: Text
    task_definition: Text
    container: Text
    subnets: tuple[Text, ...] | Output
    security_groups: tuple[Text, ...] | Output
    window: Seconds = 3600


Check = EcsServiceSteady | AlbTargetsHealthy | Http | Alarm | Command | EcsTaskSucceeds

_MODELS: Mapping[str, type[Check]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Check)
}


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of one entry of `health_checks` in holdfast.json."""
    return TypeAdapter(Annotated[Check, Field(discriminator="kind")]).json_schema()


def parse_checks(shard: "Shard") -> tuple[Check, ...]:
    """Return the shard's checks in the order of the manifest, those switched off among them.

    Raises SettingsError for an unknown kind or field, a wrong value, and a name given twice.
    """
    checks = tuple(_parsed(entry, shard.name) for entry in shard.health_checks)
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{shard.name}: two health checks are called {name!r}; names must differ")
    return checks


def resolved(check: C, outputs: Mapping[str, Any]) -> C:
    """Return the check with each `{"output": NAME}` replaced by that output's value.

    Raises MissingOutputError for an output the shard does not have (yet), SettingsError for one whose
    value does not fit.
    """
    fields = {name: _put_in(getattr(check, name), outputs) for name in type(check).model_fields}
    try:
        return type(check).model_validate(fields)
    except ValidationError as error:
        raise SettingsError(f"health check {check.name!r}: {explain(error)}") from None


class MissingOutputError(HoldfastError):
    """A check refers to an output that the shard's state does not have."""


def _parsed(entry: Mapping[str, Any], shard: str) -> Check:
    kind, name = entry.get("kind"), entry.get("name")
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        allowed = ", ".join(_MODELS)
        raise SettingsError(f"{shard}: health check {name!r}: kind must be one of {allowed}; got {kind!r}")
    try:
        return _overridden(model.model_validate(entry))
    except ValidationError as error:
        raise SettingsError(f"{shard}: health check {name!r}: {explain(error)}") from None


def _overridden(check: Check) -> Check:
    given = {name: getattr(check.overrides, name) for name in ("timeout", "interval", "window")}
    return check.model_copy(update={name: value for name, value in given.items() if value is not None})


def _put_in(value: Any, outputs: Mapping[str, Any]) -> Any:
    match value:
        case Output(output=name):
            if outputs.get(name) is None:
                raise MissingOutputError(f"the shard has no output {name!r}")
            return outputs[name]
        case tuple():
            return tuple(_put_in(each, outputs) for each in value)
        case _:
            return value


def output_values(outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return outputs by name from a state's `outputs`, which wrap each value."""
    return {name: output.get("value") for name, output in outputs.items()}


def enabled(checks: Sequence[Check]) -> Iterator[Check]:
    """Yield the checks that are not switched off."""
    return (check for check in checks if check.off is None)
