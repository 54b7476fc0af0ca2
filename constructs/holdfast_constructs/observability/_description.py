"""What an alarm says of itself: JSON, so that a person and a program can read who is to do what."""

import json
from collections.abc import Mapping

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.responsibility import Escalation, Owner, Severity

# Amazon CloudWatch API Reference, PutMetricAlarm and PutCompositeAlarm.
_LONGEST = 1024
_CONSOLES: Mapping[str, str] = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def describe(
    stack: ServiceStack,
    name: str,
    *,
    severity: Severity,
    reason: str,
    runbook: str,
    owner: Owner,
    escalation: Escalation,
    dashboard: str | None,
) -> str:
    """Return the description of alarm `name`; raises ConstructError where it is too long for CloudWatch."""
    if not reason.strip():
        raise ConstructError(
            f"reason of alarm {name}",
            got=reason,
            allowed="why its threshold is what it is",
            next_step="write what is normal, and from when on somebody has to act",
        )
    text = json.dumps(
        {
            "service": stack.service,
            "environment": stack.target.environment,
            "severity": severity,
            "reason": reason,
            "runbook": runbook,
            "owner": owner.name,
            "deputy": owner.deputy,
            "escalation": escalation.text,
            "dashboard": alarm_link(stack.target, name)
            if dashboard is None
            else dashboard_link(stack.target, dashboard),
        },
        ensure_ascii=False,
    )
    if len(text) > _LONGEST:
        raise ConstructError(
            f"the description of alarm {name}",
            got=f"{len(text)} characters",
            allowed=f"at most {_LONGEST}",
            next_step=f"shorten its reason, which has {len(reason)}",
        )
    return text


def dashboard_link(target: Target, dashboard: str) -> str:
    """Return the address of a dashboard in the console."""
    return f"{_console(target)}#dashboards/dashboard/{dashboard}"


def alarm_link(target: Target, alarm: str) -> str:
    """Return the address of an alarm in the console."""
    return f"{_console(target)}#alarmsV2:alarm/{alarm}"


def _console(target: Target) -> str:
    domain = _CONSOLES.get(target.partition, _CONSOLES["aws"])
    return f"https://{target.region}.{domain}/cloudwatch/home?region={target.region}"
