"""One shard's plan with warm caches, and how much of it is Terraform's.

    python bench/one_plan.py [--runs 7] [--stack network]

`holdfast plan --env local --stack STACK` of this repository's own app, a whole process, on an empty local
cloud: synth of every stack, then the plan of one. Terraform's share is the time in which at least one
Terraform ran, noted by a script in its place. Beside it, in turn, plain `terraform init` and `plan` of the
same configuration, its synth left out.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from measure import HOLDFAST, ROOT, Case, Sample, attempt, table

from holdfast_orchestrator.engine.cli_config import FILE, VARIABLE
from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import towards_local
from holdfast_orchestrator.system.runtime import real_runtime

TERRAFORM = """#!/bin/sh
began=$(date +%s%N)
"{engine}" "$@"
code=$?
echo "$began $(date +%s%N)" >> "{times}"
exit $code
"""


@dataclass(frozen=True)
class Place:
    """A project of its own, a local cloud, and where a Terraform that notes its times lies."""

    folder: Path
    scratch: Path
    engine: Path
    environ: dict[str, str]

    @property
    def times(self) -> Path:
        return self.scratch / "times"

    def plan(self, stack: str) -> tuple[Sample, float]:
        """Return a whole `holdfast plan`, and the seconds of it in which Terraform ran."""
        self.times.write_text("")
        sample = attempt(
            (HOLDFAST, "plan", "--env", "local", "--stack", stack), self.environ, cwd=self.folder
        )
        spans = (tuple(map(int, line.split())) for line in self.times.read_text().splitlines())
        return sample, _together(sorted(spans)) / 1e9

    def plain(self, stack: str) -> Sample:
        """Return `terraform init` and `plan` in the folder the synth has left."""
        (folder,) = (self.folder / "cdktf.out" / "stacks").glob(f"{stack}-*")
        (config,) = (self.scratch / "cache").rglob(FILE)
        environ = {**self.environ, "TF_IN_AUTOMATION": "1", VARIABLE: str(config)}
        words = '"$0" init -input=false && "$0" plan -input=false'
        return attempt(("sh", "-c", words, str(self.engine)), environ, cwd=folder)


def _together(spans: list[tuple[int, ...]]) -> int:
    """The time that is in at least one span."""
    total, covered = 0, 0
    for begin, end in spans:
        total += max(0, end - max(begin, covered))
        covered = max(covered, end)
    return total


def copy_app(folder: Path) -> None:
    """Make the folder, with what this repository's app is synthesized from."""
    folder.mkdir()
    shutil.copy(ROOT / "cdktf.json", folder)
    shutil.copytree(ROOT / "environments", folder / "environments")


@contextmanager
def place() -> Iterator[Place]:
    """A folder with this repository's app, and a running local cloud."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as made:
        scratch = Path(made)
        folder = scratch / "project"
        copy_app(folder)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "JSII_"))
        }
        cloud = LocalCloud(folder, replace(real_runtime(), cwd=folder, environ=inherited))
        endpoint = cloud.up().endpoint
        assert endpoint is not None
        engine = find_engine(real_runtime(), project=ROOT).path
        noting = scratch / "bin" / "terraform"
        noting.parent.mkdir()
        noting.write_text(TERRAFORM.format(engine=engine, times=scratch / "times"))
        noting.chmod(0o755)
        ours = {"HOLDFAST_CACHE_DIR": str(scratch / "cache"), "HOLDFAST_ENGINE": str(noting)}
        try:
            yield Place(folder, scratch, engine, {**towards_local(inherited, endpoint), **ours})
        finally:
            cloud.down()


def measure(stack: str, runs: int) -> tuple[list[Case], float]:
    """Both in turn, after one of each that warms the caches; and the median of Terraform's share."""
    with place() as here:
        here.plan(stack)
        here.plain(stack)
        ours, plain, shares = [], [], []
        for _ in range(runs):
            sample, share = here.plan(stack)
            ours.append(sample)
            shares.append(share)
            plain.append(here.plain(stack))
    cases = [
        Case(f"`holdfast plan --env local --stack {stack}`, its synth included", tuple(ours)),
        Case("plain `terraform init`, `plan`, without a synth", tuple(plain)),
    ]
    return cases, statistics.median(shares)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7, help="samples of each (default: 7)")
    parser.add_argument("--stack", default="network", help="which shard (default: network)")
    options = parser.parse_args()
    cases, share = measure(options.stack, options.runs)
    print(table("one shard's plan, warm", cases))
    print(f"\nTerraform itself ran for {share:.2f} s (median) of the first row.")


if __name__ == "__main__":
    main()
