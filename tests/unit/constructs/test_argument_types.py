"""Every public block, every parameter: a value of another type is refused with one clear error."""

import collections.abc
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from cdktf import TerraformResource
from constructs import Construct, IConstruct

import holdfast_constructs
from holdfast_constructs import (
    Alarm,
    AlarmRule,
    Alerts,
    ApplicationLoadBalancer,
    BacklogScale,
    Bucket,
    Cluster,
    ClusterCalls,
    CompositeAlarm,
    Connectable,
    ContainerHealth,
    Domain,
    EncryptionKey,
    Escalation,
    ExecAudit,
    FirewallException,
    Generated,
    Image,
    ImageRepository,
    Key,
    LoadBalancerQuotas,
    Migrations,
    OffersAccess,
    Owner,
    Queue,
    RateLimit,
    ScheduledScale,
    SecretValue,
    ServiceCluster,
    ServiceStack,
    Sidecar,
    Slo,
    Step,
    TargetHealth,
    Threshold,
    VpcNetwork,
    WorkQueue,
    connect,
)
from holdfast_constructs.app.target import Operations, StateBucket, Target
from holdfast_constructs.checking.kinds import ANYTHING, kind_of
from holdfast_constructs.compute._task_options import Architecture
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import Scale, Size
from holdfast_constructs.edge._firewall_rules import Mode
from holdfast_constructs.edge._reach import Egress
from holdfast_constructs.edge.firewall import Firewall
from holdfast_constructs.errors import ArgumentError
from holdfast_constructs.naming import Kind as NameKind
from holdfast_constructs.network._subnets import Tier
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.metrics import Expression, Metric, Signal
from holdfast_constructs.observability.responsibility import Runbook, Severity
from holdfast_constructs.observability.routes import Route
from holdfast_constructs.observability.slo import Kind as SloKind
from holdfast_constructs.observability.threshold import Comparison, Missing
from holdfast_constructs.observability.widgets import Graph, Widget
from holdfast_constructs.profiles import Nat, Profile
from holdfast_constructs.project import registry
from holdfast_constructs.security._any_key import AnyKey
from holdfast_constructs.security.keys import Purpose
from holdfast_constructs.security.policy import Condition, Statement
from holdfast_constructs.security.secret_value import Store

NO_BLOCKS = {
    *(
        "AlarmRule",
        "ConstructError",
        "ApplicationLoadBalancer",
        "ServiceCluster",
        "Connectable",
        "EncryptionKey",
        "Grantee",
        "ImageRepository",
        "OffersAccess",
        "AlarmRule",
        "VpcNetwork",
        "WorkQueue",
    ),
}
MARK = "the value under test"
VALUES: Mapping[str, Any] = {
    "none": None,
    "bool": True,
    "int": 8080,
    "float": 2.5,
    "text": "8080",
    "bytes": b"8080",
    "list": ["a"],
    "list of ints": [1],
    "list of dicts": [{"a": 1}],
    "tuple": ("a",),
    "set": {"a"},
    "dict": {"public": "count"},
    "dict of ints": {"a": 1},
    "dict of lists": {"public": ["a"]},
    "dict of dicts": {"a": {"b": 1}},
    "object": object(),
    "class": Image,
    "function": connect,
    "lambda": lambda _: True,
    "date": date(2026, 1, 1),
}
CLASSES: tuple[Any, ...] = (
    *(Alarm, AlarmRule, AlarmSet, Alerts, CompositeAlarm, Expression, Graph, Metric, Owner, Runbook, Step),
    *(
        Cluster,
        Condition,
        Construct,
        IConstruct,
        Connectable,
        Domain,
        EncryptionKey,
        Image,
        Key,
        FirewallException,
        LoadBalancerQuotas,
        Operations,
        RateLimit,
        Platform,
        Queue,
        BacklogScale,
        Scale,
        ScheduledScale,
        Sidecar,
        Slo,
        Threshold,
    ),
    *(ServiceStack, Size, Statement, StateBucket, Target, TerraformResource, VpcNetwork, WorkQueue),
)
FUNCTIONS = {"function", "lambda", "class"}
DICTS = {"dict", "dict of ints", "dict of lists", "dict of dicts"}
# Which of these values each annotation that blocks have allows. An annotation that is missing here fails.
ALLOWED: Mapping[Any, set[str]] = {
    str: {"text"},
    int: {"int"},
    bool: {"bool"},
    str | None: {"text", "none"},
    int | None: {"int", "none"},
    bool | None: {"bool", "none"},
    date | None: {"date", "none"},
    Sequence[str]: {"list", "tuple"},
    Sequence[Mapping[str, Any]]: {"list of dicts"},
    tuple[str, ...]: {"list", "tuple"},
    Sequence[Domain]: set(),
    Sequence[Sidecar]: set(),
    tuple[Step, ...]: set(),
    Sequence[Signal]: set(),
    Sequence[Threshold]: set(),
    Sequence[AlarmSet]: set(),
    Sequence[Widget]: set(),
    Sequence[Alarm | CompositeAlarm]: set(),
    Mapping[str, Signal]: set(),
    Mapping[str, Sequence[AlarmSet]]: set(),
    Mapping[Severity, Sequence[Route]]: set(),
    Mapping[Severity, Escalation] | None: {"none"},
    Signal: set(),
    Owner | None: {"none"},
    float: {"int", "float"},
    float | None: {"int", "float", "none"},
    Comparison: set(),
    Missing: set(),
    Severity: set(),
    SloKind: set(),
    Sequence[ScheduledScale]: set(),
    Connectable | OffersAccess: set(),
    ApplicationLoadBalancer | None: {"none"},
    ServiceCluster: set(),
    ExecAudit | None: {"none"},
    ClusterCalls | None: {"none"},
    Sequence[FirewallException]: set(),
    Sequence[RateLimit]: set(),
    Sequence[str | Connectable]: {"list", "tuple"},
    ContainerHealth | None: {"none"},
    Migrations | None: {"none"},
    Image | None: {"none"},
    Size | None: {"none"},
    TargetHealth | None: {"none"},
    tuple[Statement, ...]: set(),
    tuple[Condition, ...]: set(),
    Mapping[str, str]: {"dict"},
    Mapping[str, str] | None: {"dict", "none"},
    Mapping[str, str | SecretValue]: {"dict"},
    Mapping[str, str | SecretValue] | None: {"dict", "none"},
    Mapping[str, Sequence[str]] | None: {"dict of lists", "none"},
    AnyKey: {"text"},
    AnyKey | None: {"text", "none"},
    str | ImageRepository: {"text"},
    Generated | None: {"none"},
    Bucket | None: {"none"},
    Store: set(),
    Mapping[str, Any]: DICTS,
    Mapping[str, Mapping[str, Any]]: {"dict of dicts"},
    Mapping[str, Mode] | None: {"dict", "none"},
    Mapping[Tier, Sequence[str]]: {"dict of lists"},
    Mapping[str, Sequence[Statement]] | None: {"none"},
    Nat: set(),
    Nat | None: {"none"},
    Mode: set(),
    Purpose: set(),
    Architecture: set(),
    Egress: set(),
    NameKind: set(),
    Profile: set(),
    registry.Condition: FUNCTIONS,
    **{each: set() for each in CLASSES},
    Firewall | None: {"none"},
    VpcNetwork | None: {"none"},
    Construct | None: {"none"},
    EncryptionKey | None: {"none"},
}
LITERALS: Mapping[Any, str] = {
    Nat: "single",
    Mode: "count",
    Purpose: "logs",
    Architecture: "ARM64",
    Egress: "network",
    NameKind: "role",
    Profile: "dev",
    Store: "ssm",
    Comparison: ">",
    Missing: "missing",
    Severity: "sev1",
    SloKind: "latency",
}


@dataclass(frozen=True)
class Call:
    """Something public that takes arguments: a class, a method of it, or a function."""

    name: str
    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    needs_self: bool

    def run(self, **changed: Any) -> None:
        arguments = {name: right(each) for name, each in self.parameters.items()} | changed
        first = (object.__new__(object),) if self.needs_self else ()
        positional = [arguments.pop(name) for name in self.spread()]
        self.function(*first, *positional, **arguments)

    def spread(self) -> list[str]:
        parameters = inspect.signature(self.function).parameters.values()
        kinds = (inspect.Parameter.VAR_POSITIONAL,)
        names = [each.name for each in parameters if each.kind in kinds]
        before = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD][
            int(self.needs_self) :
        ]
        return [*before, *names] if names else []


def right(annotation: Any) -> Any:  # noqa: PLR0911 - one for each kind of annotation
    """Return a value that an annotation allows; of a class, an instance that was never initialized."""
    if annotation in LITERALS:
        return LITERALS[annotation]
    if not ALLOWED.get(annotation) and get_origin(annotation) in {types.UnionType, Union}:
        return right(get_args(annotation)[0])
    if (allowed := sorted(ALLOWED[annotation])) != []:
        return VALUES[allowed[0]]
    if annotation == Connectable | OffersAccess:
        return right(Connectable)
    if get_origin(annotation) in {tuple, collections.abc.Sequence}:
        return (right(get_args(annotation)[0]),)
    if get_origin(annotation) is collections.abc.Mapping:
        return {}
    if getattr(annotation, "_is_protocol", False):
        names = [name for name in vars(annotation) if not name.startswith("_")]
        return SimpleNamespace(**dict.fromkeys(names, ""))
    return object.__new__(annotation)


def calls() -> Iterator[Call]:
    for name in sorted(set(holdfast_constructs.__all__) - NO_BLOCKS):
        block = getattr(holdfast_constructs, name)
        if not isinstance(block, type):
            yield Call(name, block, _parameters(block), needs_self=False)
            continue
        constructor = vars(block)["__init__"]
        yield Call(name, constructor, _parameters(constructor), needs_self=True)
        for method, member in vars(block).items():
            function = getattr(member, "__func__", member)
            if method.startswith("_") or not inspect.isfunction(function) or not _parameters(function):
                continue
            yield Call(
                f"{name}.{method}",
                getattr(block, method),
                _parameters(function),
                needs_self=function is member,
            )
    for function in (registry.service, registry.shared):
        yield Call(function.__name__, function, _parameters(function), needs_self=False)


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    # Names that a module imports for type checkers only.
    names = {
        each: getattr(holdfast_constructs, each)
        for each in ("VpcNetwork", "ApplicationLoadBalancer", "ServiceCluster", "EncryptionKey", "Bucket")
    }
    hints = get_type_hints(function, localns=names)
    parameters = [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]
    return {name: hints[name] for name in parameters if hints[name] is not Any}


CALLS = {call.name: call for call in calls()}
PARAMETERS = [(call.name, name) for call in CALLS.values() for name in call.parameters]


def test_every_public_block_is_in_the_table() -> None:
    assert set(holdfast_constructs.__all__) - NO_BLOCKS <= set(CALLS)
    assert {"WebService.connect_to", "Network.import_", "Image.digest", "ServiceStack.add_output"} <= set(
        CALLS
    )


@pytest.mark.parametrize(("call", "parameter"), PARAMETERS)
def test_a_value_of_another_type_is_refused_and_named(call: str, parameter: str) -> None:
    annotation = CALLS[call].parameters[parameter]
    wrong = {name: value for name, value in VALUES.items() if name not in ALLOWED[annotation]}
    assert wrong

    for name, value in wrong.items():
        with pytest.raises(ArgumentError) as raised:
            CALLS[call].run(**{parameter: value})
        report = raised.value.report("stacks/a.py:7")
        assert report.startswith(f"stacks/a.py:7: {parameter}"), name
        assert call in report.splitlines()[0]
        assert [line.split()[0] for line in report.splitlines()[1:]] == ["got", "allowed", "next"]
        assert "object at 0x" not in report


@pytest.mark.parametrize("annotation", ALLOWED, ids=str)
def test_what_is_right_is_accepted(annotation: Any) -> None:
    kind = kind_of(annotation)

    assert kind is not ANYTHING
    assert kind.accepts(right(annotation))
    for name in ALLOWED[annotation]:
        assert kind.accepts(VALUES[name]), name


@pytest.mark.parametrize("call", CALLS)
def test_an_argument_that_does_not_exist_is_refused_with_those_that_do(call: str) -> None:
    if call.endswith("add_health_check"):
        pytest.skip("takes any field")
    names = [name for name in CALLS[call].parameters if name not in CALLS[call].spread()[-1:]]
    wrong = f"{max(names, key=len)}s"

    with pytest.raises(ArgumentError, match=f"has no argument '{wrong}'; did you mean") as raised:
        CALLS[call].run(**{wrong: 1})

    assert all(name in str(raised.value.listed) for name in names)


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_argument_is_named(call: str) -> None:
    function = CALLS[call].function
    required = [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty
        and each.kind is not each.VAR_POSITIONAL
        and each.name in CALLS[call].parameters
    ]
    if not required:
        pytest.skip("needs none")

    with pytest.raises(ArgumentError, match="needs ") as raised:
        function(*((object(),) if CALLS[call].needs_self else ()))

    assert all(name in str(raised.value) for name in required)
