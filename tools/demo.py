"""`make demo`: the main job for real, on the embedded local cloud, with nothing left behind.

Real Terraform and the real AWS provider deploy environment `local` in full (network, edge with WAF, data
and two services), a second deploy finds nothing to do, a change that goes wrong is undone by itself, and
everything is destroyed again and counted.
Each step is the command a user would type.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import RolledBackError
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

ROOT = Path(__file__).resolve().parent.parent
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
REGION = "eu-west-1"
# The local cloud lets the tasks of such a container fail.
BROKEN = """
[services.storefront.environment]
HOLDFAST_LOCAL_TASKS_FAIL = "true"
"""
# Outputs that one stack hands to another, and to health checks.
INTERNAL = ("cross-stack-output", "health-")


def main() -> int:
    started = time.monotonic()
    runtime = real_runtime()
    cloud = LocalCloud(ROOT, runtime)
    if cloud.status().running:
        print("The local cloud runs already and may hold work of yours; end it first: holdfast local down")
        return 1
    try:
        _step("The local cloud: a moto server on loopback, with its gaps closed", "local", "up")
        _show(runtime, cloud)
    finally:
        _step("Nothing stays running", "local", "down")
    print(f"\nDone in {time.monotonic() - started:.0f} s. Try it yourself: .venv/bin/holdfast local up")
    return 0


def _show(runtime: Runtime, cloud: LocalCloud) -> None:
    _step("First deploy: every stack, each with a state of its own", "deploy", "--env", "local", "--yes")
    _print_outputs(runtime, cloud)
    _deploy_again()
    _break_and_watch(runtime, cloud)
    _step("Take it down, in reverse order", "destroy", "--env", "local", "--yes")
    _print_leftovers(runtime, cloud)


def _step(title: str, *words: str, expected: int = 0, **environ: str) -> None:
    command = " ".join(("holdfast", *words))
    print(f"\n== {title}\n$ {command}", flush=True)
    code = subprocess.run([HOLDFAST, *words], cwd=ROOT, check=False, env=os.environ | environ).returncode
    if code != expected:
        raise SystemExit(f"{command} ended with exit code {code}, and was to end with {expected}")


def _break_and_watch(runtime: Runtime, cloud: LocalCloud) -> None:
    """Deploy a storefront whose tasks never start: it is applied, found ill, and undone by itself."""
    before = _count(runtime, cloud)
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "local.toml"
        local = (ROOT / "environments" / "local.toml").read_text(encoding="utf-8")
        settings.write_text(local + BROKEN, encoding="utf-8")
        words = ("deploy", "--env", "local", "--service", "storefront", "--yes")
        title = "A change goes wrong: the new tasks never start, and the deploy undoes itself (exit 5)"
        _step(title, *words, expected=RolledBackError.exit_code, HOLDFAST_ENVIRONMENTS=folder)
    after = _count(runtime, cloud)
    print(f"\nresources in the cloud: {before} before, {after} after")
    if before != after:
        raise SystemExit("the failed deploy left something behind")


def _deploy_again() -> None:
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        words = ("deploy", "--env", "local", "--yes", "--events", str(events))
        _step("Second deploy: nothing to do", *words)
        lines = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    outcomes = {event["outcome"] for event in lines if event["event"] == "shard_finished"}
    if outcomes != {"unchanged"}:
        raise SystemExit(f"the second deploy was to find nothing to do, and ended with {sorted(outcomes)}")


def _print_outputs(runtime: Runtime, cloud: LocalCloud) -> None:
    s3 = _client(runtime, cloud, "s3")
    listed = subprocess.run(
        [HOLDFAST, "list", "--env", "local", "--json"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    print("\nThe place of each state, and its outputs")
    for shard in json.loads(listed.stdout)["shards"]:
        state = json.loads(s3.get_object(Bucket=shard["bucket"], Key=shard["key"])["Body"].read())
        print(f"  s3://{shard['bucket']}/{shard['key']}   {len(state['resources'])} resources")
        for name, output in sorted(state["outputs"].items()):
            if not output.get("sensitive") and not name.startswith(INTERNAL):
                print(f"      {name} = {output['value']}")


def _client(runtime: Runtime, cloud: LocalCloud, service: str) -> Any:
    endpoint = cloud.status().endpoint
    if endpoint is None:
        raise SystemExit("the local cloud stopped")
    return runtime.aws.client(service, region=REGION, environ=local_environ(endpoint))


def _count(runtime: Runtime, cloud: LocalCloud) -> int:
    return sum(map(len, inventory(lambda service: _client(runtime, cloud, service)).values()))


def _print_leftovers(runtime: Runtime, cloud: LocalCloud) -> None:
    left = inventory(lambda service: _client(runtime, cloud, service))
    if any(left.values()):
        raise SystemExit(f"left behind in the local cloud: {left}")
    print("\nCounted through the AWS API: nothing is left in the local cloud.")


if __name__ == "__main__":
    sys.exit(main())
