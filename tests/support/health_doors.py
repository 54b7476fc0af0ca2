"""The doors of health checks, which refuse but for those a test opens."""

from pathlib import Path
from typing import Any

from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.testing import FrozenClock, RefusingProcesses


def doors(aws: Any, *, http: Any = None) -> CheckContext:
    return CheckContext(
        aws=aws,
        clock=FrozenClock(),
        processes=RefusingProcesses(),
        http=http,
        environ={},
        region="eu-west-1",
        cwd=Path(),
    )
