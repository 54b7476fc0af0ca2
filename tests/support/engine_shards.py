"""Configurations of the builtin provider, and what makes a shard's Terraform of one."""

from collections.abc import Callable, Mapping
from typing import Any

from holdfast_orchestrator.engine.terraform import Terraform

Shard = Callable[..., Terraform]


def data(**resources: Mapping[str, Any]) -> dict[str, Any]:
    return {"resource": {"terraform_data": resources}}


def slow(seconds: float) -> dict[str, Any]:
    return {"provisioner": [{"local-exec": {"command": f"sleep {seconds}"}}]}
