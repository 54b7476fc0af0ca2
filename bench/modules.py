"""A shard whose objects are in a local module against one that has them itself, and six with modules.

    python bench/modules.py [--runs 5] [--shape hcl|json|outside|files]

The same four quick objects either way, in an app that writes its stacks at once: no synth is measured. All
take turns: first deploy, one value changed, nothing changed, each a whole `holdfast deploy` with its verify,
on one local cloud. `hcl` and `json` are the forms of the module, `outside` is one beside the app's folder,
`files` one that calls a second module, which reads a file beside it.

CPU seconds are those of Holdfast and Terraform; those of the cloud, the gateway and the providers are left
out. Ratios are medians over pairs that ran one after another.
"""

import argparse
import json
import os
import resource
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from measure import HOLDFAST, ROOT, Sample, attempt

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import ACCOUNT, REGION, STATE_BUCKET, towards_local
from holdfast_orchestrator.system.runtime import real_runtime

SIX = 6
HEADER = """| {phase} | runs | seconds (median) | from, to | to the first row | CPU seconds | to it |
|---|---|---|---|---|---|---|"""
PHASES = ("first deploy", "one value changed", "nothing changed")
APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDKTF_OUTDIR"])
stacks = json.loads(pathlib.Path("stacks.json").read_text())
for name, stack in stacks.items():
    folder = out / "stacks" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cdk.tf.json").write_text(json.dumps(stack))
described = {
    name: {
        "name": name,
        "dependencies": [],
        "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
        "workingDirectory": f"stacks/{name}",
    }
    for name in stacks
}
(out / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": described}))
"""
OBJECTS = {
    "aws_sns_topic": {"topic": {"name": "${var.name}"}},
    "aws_cloudwatch_log_group": {"log": {"name": "/modules/${var.name}"}},
    "aws_ssm_parameter": {
        "value": {"name": "/modules/${var.name}/value", "type": "String", "value": "${var.value}"},
        "topic": {
            "name": "/modules/${var.name}/topic",
            "type": "String",
            "value": "${aws_sns_topic.topic.arn}",
        },
    },
}
VARIABLES: Mapping[str, Any] = {"name": {}, "value": {}}
WHERE = {"hcl": "modules/four", "json": "modules/four", "outside": "../modules/four", "files": "modules/four"}


@dataclass(frozen=True, slots=True)
class Cost:
    """One deploy: the process, and the CPU seconds of it and of all that it waited for."""

    sample: Sample
    cpu: float


@dataclass(frozen=True)
class Place:
    """A project with a module of some shape, and the environment that leads to a running local cloud."""

    folder: Path
    shape: str
    environ: Mapping[str, str]

    def begin(self, environment: str) -> None:
        """Deploy to an environment that nothing was deployed to."""
        settings = {"state_bucket": STATE_BUCKET, "region": REGION, "account": ACCOUNT}
        context = {"holdfast": {**settings, "environment": environment}}
        app = shlex.join((sys.executable, "app.py"))
        (self.folder / "cdktf.json").write_text(json.dumps({"app": app, "context": context}))

    def write(self, names: list[str], *, value: str, in_module: bool) -> None:
        """Write stacks of these names, four objects in each; the first stack has this value."""
        values = dict.fromkeys(names, "1") | {names[0]: value}
        stacks = {name: self._stack(name, values[name], in_module=in_module) for name in names}
        (self.folder / "stacks.json").write_text(json.dumps(stacks))

    def deploy(self) -> Cost:
        before = _cpu_of_children()
        sample = attempt((HOLDFAST, "deploy", "--yes"), dict(self.environ), cwd=self.folder)
        return Cost(sample, _cpu_of_children() - before)

    def _stack(self, name: str, value: str, *, in_module: bool) -> dict[str, Any]:
        given = {"name": name, "value": value}
        provider = {
            "region": REGION,
            "skip_credentials_validation": True,
            "skip_metadata_api_check": "true",
            "max_retries": 5,
        }
        stack: dict[str, Any] = {
            "terraform": {
                "required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}},
                "backend": {"local": {"path": f"terraform.{name}.tfstate"}},
            },
            "provider": {"aws": [provider]},
        }
        if in_module:
            stack["module"] = {"four": {"source": f"../../../{WHERE[self.shape]}", **given}}
        else:
            stack["variable"] = {name: {"default": given[name]} for name in VARIABLES}
            stack["resource"] = OBJECTS
        return stack


def write_module(folder: Path, shape: str) -> None:
    """Write the module that holds the four objects."""
    module = (folder / WHERE[shape]).resolve()
    module.mkdir(parents=True)
    if shape == "json":
        (module / "main.tf.json").write_text(json.dumps({"variable": VARIABLES, "resource": OBJECTS}))
        return
    (module / "main.tf").write_text(_hcl())
    if shape == "files":
        (module / "inner").mkdir()
        (module / "inner" / "main.tf").write_text(
            'output "text" {\n  value = file("${path.module}/text")\n}\n'
        )
        (module / "inner" / "text").write_text("text")
        (module / "inner.tf").write_text('module "inner" {\n  source = "./inner"\n}\n')


def _hcl() -> str:
    variables = "".join(f'variable "{name}" {{}}\n' for name in VARIABLES)
    blocks = (
        f'resource "{kind}" "{name}" {{\n'
        + "".join(f"  {argument} = {json.dumps(value)}\n" for argument, value in body.items())
        + "}\n"
        for kind, named in OBJECTS.items()
        for name, body in named.items()
    )
    return variables + "".join(blocks)


@contextmanager
def place(shape: str) -> Iterator[Place]:
    """A project with the module and this repository's lock file, and a running local cloud."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as made:
        folder = Path(made) / "repository" / "app"
        folder.mkdir(parents=True)
        (folder.parent / ".git").mkdir()
        shutil.copy(ROOT / ".terraform.lock.hcl", folder)
        write_module(folder, shape)
        (folder / "app.py").write_text(APP)
        (folder / "cdktf.json").write_text("{}")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "HOLDFAST_", "JSII_"))
        }
        cloud = LocalCloud(folder, replace(real_runtime(), cwd=folder, environ=kept))
        endpoint = cloud.up().endpoint
        assert endpoint is not None
        environ = {**towards_local(kept, endpoint), "HOLDFAST_CACHE_DIR": str(Path(made) / "cache")}
        try:
            yield Place(folder, shape, environ)
        finally:
            cloud.down()


def phases(here: Place, names: list[str], *, in_module: bool) -> Mapping[str, Cost]:
    """Deploy these stacks for the first time, with another value in the first of them, and once more."""
    here.begin(names[0])
    costs = {}
    for phase, value in zip(PHASES, ("1", "2", "2"), strict=True):
        here.write(names, value=value, in_module=in_module)
        costs[phase] = here.deploy()
    return costs


def measure(shape: str, runs: int) -> Iterator[str]:
    """All in turn, after one of each that warms the caches; a table for each phase."""
    ways = {
        "one shard, its objects in the stack": (1, False),
        f"one shard, its objects in a module ({shape})": (1, True),
        f"six shards with a module ({shape})": (SIX, True),
    }
    with place(shape) as here:
        taken = [
            {
                way: phases(here, _names(count, f"r{number}-{in_module:d}"), in_module=in_module)
                for way, (count, in_module) in ways.items()
            }
            for number in range(runs + 1)
        ][1:]
    for phase in PHASES:
        costs = [[run[way][phase] for way in ways] for run in taken]
        yield "\n".join((HEADER.format(phase=phase), *_rows(list(ways), costs)))


def _rows(ways: list[str], runs: list[list[Cost]]) -> Iterator[str]:
    for number, way in enumerate(ways):
        seconds = sorted(run[number].sample.seconds for run in runs)
        cpu = median(run[number].cpu for run in runs)
        wall_ratio = median(run[number].sample.seconds / run[0].sample.seconds for run in runs)
        cpu_ratio = median(run[number].cpu / run[0].cpu for run in runs)
        yield (
            f"| {way} | {len(runs)} | {median(seconds):.2f} | {seconds[0]:.2f} to {seconds[-1]:.2f} "
            f"| {wall_ratio:.2f}x | {cpu:.2f} | {cpu_ratio:.2f}x |"
        )


def _names(count: int, beginning: str) -> list[str]:
    return [f"{beginning}-{number}-of-{count}" for number in range(count)]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="samples of each (default: 5)")
    parser.add_argument("--shape", choices=sorted(WHERE), default="hcl", help="the module (default: hcl)")
    given = parser.parse_args()
    print("\n\n".join(measure(given.shape, given.runs)))


if __name__ == "__main__":
    main()
