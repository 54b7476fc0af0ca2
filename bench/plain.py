"""Terraform without Holdfast: each shard of a cdktf.out gets `init`, `plan -out`, `apply` in its own folder.

    python bench/plain.py CDKTF_OUT --workers 5 [--destroy]

A pool of threads, dependencies respected; with one worker it is shard after shard. Nothing is verified,
backed up or written down: that is how such scripts are.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path

PLAN = "tfplan"


def deploy(folder: Path, *, destroy: bool) -> None:
    """Bring one shard to what its configuration says, or to nothing."""
    _terraform(folder, "init")
    _terraform(folder, "plan", f"-out={PLAN}", *(["-destroy"] if destroy else []))
    _terraform(folder, "apply", PLAN)


def _terraform(folder: Path, verb: str, *words: str) -> None:
    argv = ("terraform", verb, "-input=false", "-no-color", *words)
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{folder.name}: {' '.join(argv)}: {done.stdout}{done.stderr}")


def in_order(out: Path, *, workers: int, destroy: bool) -> None:
    """Deploy every shard as soon as what it waits for is done. The first failure is raised."""
    waits_for = _destroy_order(out) if destroy else _dependencies(out)
    order = TopologicalSorter(waits_for)
    order.prepare()
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(workers) as pool:
        while order.is_active():
            for name in sorted(order.get_ready()):
                running[pool.submit(deploy, out / "stacks" / name, destroy=destroy)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                order.done(running.pop(future))


def _dependencies(out: Path) -> Mapping[str, list[str]]:
    stacks = json.loads((out / "manifest.json").read_bytes())["stacks"]
    return {name: stack["dependencies"] for name, stack in stacks.items()}


def _destroy_order(out: Path) -> Mapping[str, list[str]]:
    needs = _dependencies(out)
    return {name: [one for one, needed in needs.items() if name in needed] for name in needs}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="the folder that cdktf synthesized to")
    parser.add_argument("--workers", type=int, default=5, help="shards at once (default: 5)")
    parser.add_argument("--destroy", action="store_true", help="take everything down")
    given = parser.parse_args()
    try:
        in_order(given.out, workers=given.workers, destroy=given.destroy)
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
