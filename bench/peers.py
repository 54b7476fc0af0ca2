"""Holdfast against its peers: the same shards, the same kind of local cloud, in one run.

    python bench/peers.py [--deploy 5,20,50,full] [--runs 1] [--only holdfast,cdktf,pool,serial]
                          [--phases first,changed,unchanged,destroy] [--add] [--write]

A number deploys so many shards of `peers_app.py`, `full` environment `local` of this repository's own app.
Every peer has a cloud, a state bucket and a folder of its own. They take turns in each phase, and begin with
another one in each run, so that what else the machine does touches all of them. After each phase the cloud is
looked at; a peer that failed, or whose objects are not as they should be, is out of that run, and has no
figure. Figures are kept in `.holdfast/peers.json`: `--add` adds to what earlier runs left there instead of
beginning anew. `--write` puts the table into docs/benchmarks.md and the plot beside it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cdktf_cli
from measure import HOLDFAST, ROOT, CommandFailedError, attempt
from peers_check import NotSoError
from peers_report import PEERS, PHASES, Figure, Figures, markdown, titled, write
from workloads import FULL, Workload, workload

from holdfast_orchestrator.engine.mirrors import VARIABLE as MIRROR
from holdfast_orchestrator.engine.mirrors import Mirror, find_mirrors, this_platform
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import REGION, towards_local
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

KEPT = ROOT / ".holdfast" / "peers.json"
DOWNLOADED = ROOT / ".holdfast" / "peers-providers"
REGISTRY, AWS, AWS_VERSION = "registry.terraform.io", "hashicorp/aws", "5.100.0"
FOREIGN = ("AWS_", "TF_", "HOLDFAST_", "JSII_", "CDKTF_")
AT_ONCE = 5
# Often enough to meet every provider, seldom enough not to be what the machine is busy with.
SAMPLING_SECONDS = 0.1


@dataclass(slots=True)
class Contestant:
    """One peer, what it deploys, and the way to its cloud."""

    peer: str
    runtime: Runtime
    workload: Workload
    failed: str = ""

    def take(self, phase: str) -> Figure:
        """Do one phase, and look at the cloud; a failure is remembered, and is the figure from then on."""
        try:
            if not self.failed:
                return self._take(phase)
        except (CommandFailedError, NotSoError) as error:
            print(f"{self.peer}, {phase}: {error}", file=sys.stderr)
            self.failed = "failed"
        except cdktf_cli.NotInstalledError as error:
            self.failed = f"not installed ({error})"
        return Figure(failed=self.failed)

    def _take(self, phase: str) -> Figure:
        work, environ = self.workload, self.runtime.environ
        argv = _COMMANDS[self.peer](work, phase)
        work.begin(phase)
        if phase == "first" or self.peer in {"pool", "serial"}:
            # Everybody's caches are as an earlier synth left them; nor is it timed for those who have none.
            attempt((HOLDFAST, "synth", *work.words), environ, cwd=work.folder)
        sample = attempt(argv, environ, cwd=work.folder, every=SAMPLING_SECONDS)
        work.check(lambda service: self.runtime.aws.client(service, region=REGION, environ=environ))
        return Figure(seconds=(sample.seconds,), mebibytes=(sample.mebibytes,))


def _holdfast(work: Workload, phase: str) -> Sequence[str]:
    return (HOLDFAST, "destroy" if phase == "destroy" else "deploy", *work.words, "--yes")


def _cdktf(_work: Workload, phase: str) -> Sequence[str]:
    words = ("destroy",) if phase == "destroy" else ("deploy", "--skip-provider-lock")
    return (cdktf_cli.install(), *words, "*", "--parallelism", str(AT_ONCE), "--auto-approve")


def _plain(work: Workload, phase: str, *, workers: int) -> Sequence[str]:
    words = (sys.executable, str(ROOT / "bench" / "plain.py"), str(work.folder / "cdktf.out"))
    return (*words, "--workers", str(workers), *(("--destroy",) if phase == "destroy" else ()))


_COMMANDS: Mapping[str, Callable[[Workload, str], Sequence[str]]] = {
    "holdfast": _holdfast,
    "cdktf": _cdktf,
    "pool": lambda work, phase: _plain(work, phase, workers=AT_ONCE),
    "serial": lambda work, phase: _plain(work, phase, workers=1),
}


def compete(deployed: str, peers: Sequence[str], phases: Sequence[str], figures: Figures) -> None:
    """One run of all peers, in turn, from an empty cloud; only the figures of `phases` are kept.

    The others are done where a later one needs them.
    """
    with ExitStack() as open_:
        contestants = [open_.enter_context(_contestant(peer, deployed)) for peer in peers]
        wanted = [phase for phase in PHASES if phase in {"first", *phases}]
        for phase in wanted:
            for contestant in contestants:
                figure = contestant.take(phase)
                print(f"{titled(deployed)}, {phase}, {contestant.peer}: {figure.text}", file=sys.stderr)
                if phase in phases:
                    figures.add(deployed, phase, contestant.peer, figure)


@contextmanager
def _contestant(peer: str, deployed: str) -> Iterator[Contestant]:
    """A folder and a running cloud of its own."""
    with tempfile.TemporaryDirectory(prefix=f"holdfast-{peer}-") as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        runtime = replace(real_runtime(), cwd=folder, cache=Path(scratch) / "cache", environ=kept)
        cloud = LocalCloud(folder, runtime)
        endpoint = cloud.up().endpoint
        assert endpoint is not None
        try:
            work = workload(deployed, folder)
            found = {
                **towards_local(kept, endpoint),
                **work.environ,
                **_environ(peer, Path(scratch), runtime),
            }
            yield Contestant(peer, replace(runtime, environ=found), work)
        finally:
            cloud.down()


def _environ(peer: str, scratch: Path, runtime: Runtime) -> dict[str, str]:
    """What a peer finds in its environment: everybody gets the provider from the same folder."""
    mirror = _mirror(runtime)
    common = {
        "PATH": cdktf_cli.search_path(runtime.environ.get("PATH", os.defpath)),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "HOLDFAST_CACHE_DIR": str(scratch / "cache"),
        MIRROR: str(mirror),
    }
    if peer == "holdfast":
        return common
    config = scratch / "terraformrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    plain = {**common, "TF_CLI_CONFIG_FILE": str(config)}
    if peer != "cdktf":
        return plain
    # Its own plugin cache would copy what the mirror only links.
    stock = {"CDKTF_HOME": str(scratch), "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1", "CI": "1"}
    return {**plain, **stock, "HOLDFAST_FAST_BINDINGS": "0"}


def _mirror(runtime: Runtime) -> Path:
    """This machine's unpacked mirror of the provider, or one that is filled here, once, from the network."""
    platform = this_platform()
    source = f"{REGISTRY}/{AWS}"
    for mirror in (*find_mirrors(runtime, REGISTRY), Mirror(DOWNLOADED)):
        if (mirror.path / source / AWS_VERSION / platform).is_dir():
            return mirror.path
    DOWNLOADED.mkdir(parents=True, exist_ok=True)
    provider = {"aws": {"source": AWS, "version": AWS_VERSION}}
    with tempfile.TemporaryDirectory() as scratch:
        needed = json.dumps({"terraform": {"required_providers": provider}})
        (Path(scratch) / "main.tf.json").write_text(needed)
        # A plugin cache is laid out as a mirror is.
        search = cdktf_cli.search_path(runtime.environ.get("PATH", os.defpath))
        environ = {**runtime.environ, "PATH": search, "TF_PLUGIN_CACHE_DIR": str(DOWNLOADED)}
        subprocess.run(("terraform", "init"), cwd=scratch, env=environ, check=True, stdout=sys.stderr)
    return DOWNLOADED


def _listed(allowed: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        words = text.split(",")
        if not set(words) <= set(allowed):
            raise argparse.ArgumentTypeError(f"{text!r}: there are {', '.join(allowed)}")
        return [word for word in allowed if word in words]

    return parse


def _deployed(text: str) -> list[str]:
    words = text.split(",")
    if wrong := [word for word in words if word != FULL and not word.isdecimal()]:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r}: it is a number of shards, or {FULL}")
    return words


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--deploy",
        type=_deployed,
        default=["5", "20", "50", FULL],
        help=f"numbers of quick shards, and the full stack (default: 5,20,50,{FULL})",
    )
    parser.add_argument("--runs", type=int, default=1, help="samples of each figure (default: 1)")
    parser.add_argument("--only", type=_listed(tuple(PEERS)), default=list(PEERS), help="these peers")
    parser.add_argument("--phases", type=_listed(tuple(PHASES)), default=list(PHASES), help="these phases")
    parser.add_argument("--add", action="store_true", help="add to the figures of earlier runs")
    parser.add_argument(
        "--write", action="store_true", help="write the table of docs/benchmarks.md and docs/peers.svg"
    )
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    figures = Figures.load(KEPT) if given.add else Figures()
    figures.begin(real_runtime().clock.now().isoformat(timespec="seconds"))
    for deployed in given.deploy:
        for number in range(given.runs):
            turn = number % len(given.only)
            compete(deployed, given.only[turn:] + given.only[:turn], given.phases, figures)
            figures.save(KEPT)
    print(markdown(figures))
    if given.write:
        write(figures)


if __name__ == "__main__":
    main()
