"""A randomized campaign: something is killed at a random moment, the run is resumed, and all must be well.

A case is worked out from seed and number alone. Moments are counted in requests and not in seconds, so
that a case that failed fails again. Each case ends with a deploy of a version that must succeed.
"""

import json
import random
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.lab.invariant import violations
from tests.faults.lab.matches import Request
from tests.faults.lab.proxy import Meanwhile, Rule
from tests.faults.lab.scenarios import (
    FAILING,
    FIRST,
    PLAIN,
    PLAIN_SECOND,
    SECOND,
    Version,
    app,
    impossible,
    parameter,
    table,
)
from tests.faults.lab.world import DEPLOY, Ended, Lab, Started, World

# A deploy of these versions makes some 60 to 120 requests; later moments come to nothing.
_LAST_MOMENT = 110
_RESUMES = 4
_GOOD_CODES = {0, 1, 5}

_WITH_TABLE = app(parameter("kept"), table("orders"))
_TABLE_FAILS = app(
    parameter("kept", "2"), table("orders"), table("more", after="kept"), impossible(after="kept")
)
_TABLE_SECOND = app(parameter("kept", "2"), table("orders"), table("more", after="kept"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """From `before` (None: nothing is there) to `wanted`; `last` is a version that can be deployed."""

    name: str
    before: Version | None
    wanted: Version
    last: Version


SCENARIOS = (
    Scenario(name="an update", before=FIRST, wanted=SECOND, last=SECOND),
    Scenario(name="an update that fails", before=FIRST, wanted=FAILING, last=SECOND),
    Scenario(name="a first deploy", before=None, wanted=SECOND, last=SECOND),
    Scenario(name="a first deploy that fails", before=None, wanted=FAILING, last=SECOND),
    Scenario(name="an update beside a table", before=_WITH_TABLE, wanted=_TABLE_FAILS, last=_TABLE_SECOND),
    Scenario(name="an update without a provider", before=PLAIN, wanted=PLAIN_SECOND, last=PLAIN_SECOND),
)

VICTIMS = ("runner", "terraform", "both", "provider")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Who is killed at which request, and whether the cloud has done its part by then."""

    victim: str
    moment: int
    after: bool

    def __str__(self) -> str:
        return f"{self.victim} at request {self.moment}{' (done)' if self.after else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `kills` are one for the deploy and maybe one for the first resume."""

    seed: int
    number: int
    scenario: Scenario
    kills: tuple[Kill, ...]

    def __str__(self) -> str:
        kills = ", then ".join(map(str, self.kills))
        return f"seed {self.seed}, case {self.number}: {self.scenario.name}; {kills}"


@dataclass(kw_only=True)
class Verdict:
    """What came of a case; `problems` is empty where all is well."""

    case: Case
    problems: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)


def case(seed: int, number: int) -> Case:
    """Work a case out."""
    chance = random.Random(f"{seed}/{number}")
    scenario = chance.choice(SCENARIOS)
    victims = VICTIMS[:3] if scenario.before is PLAIN else VICTIMS
    kills = [_kill(chance, victims)]
    if chance.random() < 1 / 3:
        kills.append(_kill(chance, VICTIMS[:3]))
    return Case(seed=seed, number=number, scenario=scenario, kills=tuple(kills))


def _kill(chance: random.Random, victims: tuple[str, ...]) -> Kill:
    victim = chance.choices(victims, weights=(4, 3, 3, 1)[: len(victims)])[0]
    return Kill(victim=victim, moment=chance.randint(1, _LAST_MOMENT), after=chance.random() < 0.5)


def play(lab: Lab, folder: Path, one: Case) -> Verdict:
    """Play a case in a world of its own."""
    world = lab.world(folder, cold=any(kill.victim == "provider" for kill in one.kills))
    verdict = Verdict(case=one)
    try:
        if one.scenario.before is not None:
            world.begin(one.scenario.before)
        world.write(one.scenario.wanted)
        _play(world, one, verdict)
    except (AssertionError, ValueError, KeyError, OSError) as error:
        verdict.problems.append(f"{type(error).__name__}: {error}")
    finally:
        world.end()
    return verdict


def _play(world: World, one: Case, verdict: Verdict) -> None:
    known = _runs(world)
    ended = _disturbed(world, DEPLOY, one.kills[0])
    verdict.story.append(str(ended))
    for kill in (*one.kills[1:], *[None] * _RESUMES):
        name = _unfinished(world, known)
        if name is None:
            break
        ended = _disturbed(world, ("resume", name, "--json"), kill)
        verdict.story.append(str(ended))
    if ended.code not in _GOOD_CODES and ended.code >= 0:
        verdict.problems.append(f"ended with exit code {ended.code}")
    verdict.problems += violations(world, ended)
    # A kill that never came to pass belongs to the command it was meant for.
    world.proxy.heal()
    world.write(one.scenario.last)
    last = world.holdfast(*DEPLOY)
    verdict.story.append(str(last))
    if last.code != 0:
        verdict.problems.append(f"the last deploy ended with exit code {last.code}")
    verdict.problems += violations(world, last)


def _disturbed(world: World, words: tuple[str, ...], kill: Kill | None) -> Ended:
    world.proxy.heal()
    running: list[Started] = []
    if kill is not None:
        rule = Rule(
            what=_Counter(kill.moment), fault=Meanwhile(_Deadly(world, kill, running), kill.after), times=1
        )
        world.proxy.add(rule)
    running.append(world.start(*words))
    ended = running[0].wait(300)
    # What was left running ends by itself; a resume that waits for it is another case.
    world.wait_until(lambda: not world.terraform(), "Terraform to end")
    return ended


@dataclass
class _Counter:
    left: int

    def __call__(self, _request: Request) -> bool:
        self.left -= 1
        return self.left <= 0


@dataclass
class _Deadly:
    world: World
    kill: Kill
    running: list[Started]

    def __call__(self) -> None:
        match self.kill.victim:
            case "runner":
                self._runner()
            case "terraform":
                self.world.kill_terraform()
            case "both":
                self._runner()
                self.world.kill_terraform()
            case _:
                self.world.kill("terraform-provider-aws")

    def _runner(self) -> None:
        if self.running:
            self.running[0].send(signal.SIGKILL)


def _runs(world: World) -> frozenset[str]:
    return frozenset(_statuses(world))


def _unfinished(world: World, known: frozenset[str]) -> str | None:
    """The newest run that was begun here and has not ended."""
    statuses: Mapping[str, str] = _statuses(world)
    return next(
        (
            name
            for name, status in statuses.items()
            if name not in known and status in ("running", "needs_human")
        ),
        None,
    )


def _statuses(world: World) -> dict[str, str]:
    listed = json.loads(world.holdfast("runs", "--json").out)["runs"]
    return {run["run"]: run["status"] for run in listed}


@contextmanager
def opened(folder: Path) -> Iterator[Lab]:
    """A lab for as long as a campaign takes."""
    folder.mkdir(parents=True, exist_ok=True)
    lab = Lab.open(folder)
    try:
        yield lab
    finally:
        lab.close()
