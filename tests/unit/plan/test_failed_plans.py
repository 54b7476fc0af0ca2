"""A plan that failed says where in the app, before it says what to do."""

from dataclasses import replace

from tests.support.deploy_world import shard

from holdfast_orchestrator.app.manifest import Source
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.errors import StateBucketError
from holdfast_orchestrator.preview.shard import _failure

SOURCES = {"aws_vpc.a": Source(path="network/a", construct='Vpc "a"', file="stacks/network.py", line=3)}


def test_each_resource_of_a_cycle_is_told_with_its_line() -> None:
    network = replace(shard("network"), sources=SOURCES)
    cycle = Diagnostic(severity="error", summary="Cycle: aws_vpc.a, aws_vpc.b")

    lines = _failure(CommandFailedError("terraform plan", 1, [cycle]), network).splitlines()

    assert lines[:3] == [
        "terraform plan failed (exit code 1): Cycle: aws_vpc.a, aws_vpc.b",
        '  where: stacks/network.py:3 (Vpc "a")',
        "  where: aws_vpc.b",
    ]
    assert lines[3].startswith("  next: These resources need each other")


def test_an_error_that_is_no_engine_s_stays_as_it_is() -> None:
    error = StateBucketError("no bucket", next_step="holdfast doctor")

    assert _failure(error, shard("network")) == "no bucket\n  next: holdfast doctor"
