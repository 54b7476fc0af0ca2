"""Look at every check again and again until each has passed, one has failed, or somebody asks to stop.

    checks = pinned(parse_checks(shard), state, outputs)
    verdict = watch(checks, outputs, doors, stop=stop, on_progress=tell)

One thread decides, by the clock it is given; looks that are due are made side by side. The first check
that fails ends the watch: a rollback should not wait for the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.health.checks import Check, EcsServiceSteady, resolved
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.kinds import look
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.health.parallel import look_at_all
from holdfast_orchestrator.health.tally import Ended, Result, Tally, judge
from holdfast_orchestrator.system.stop import StopSignal
from holdfast_orchestrator.terraform.json_values import Document, managed

# How soon a Ctrl-C is noticed.
_LONGEST_NAP_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckProgress:
    """What a look saw that the one before did not; `seconds` since the watch began."""

    check: str
    kind: str
    standing: Standing
    what: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """How one check ended, after how many looks and seconds."""

    check: str
    kind: str
    result: Result
    why: str
    looks: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.check} ({self.kind}): {self.result}: {self.why}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return {**asdict(self), "result": self.result.value, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthVerdict:
    """How the watch ended; true where all is well.

    `answers` are in the order of the checks. `stopped`: somebody asked to stop before it was decided, so
    that nothing is proved either way. `seconds` is what all of it took.
    """

    answers: tuple[CheckAnswer, ...]
    seconds: float
    stopped: bool = False

    @property
    def healthy(self) -> bool:
        """Whether every check passed or is switched off."""
        return all(answer.result in (Result.PASSED, Result.OFF) for answer in self.answers)

    @property
    def evidence(self) -> tuple[str, ...]:
        """A line for each check: what it is and what it came to."""
        return tuple(map(str, self.answers))

    @property
    def failures(self) -> tuple[CheckAnswer, ...]:
        """The checks that failed."""
        return tuple(answer for answer in self.answers if answer.result is Result.FAILED)

    def __bool__(self) -> bool:
        return self.healthy


OnProgress = Callable[[CheckProgress], object]


def watch(
    checks: Sequence[Check],
    outputs: Mapping[str, Any],
    doors: CheckContext,
    *,
    stop: StopSignal | None = None,
    on_progress: OnProgress = lambda _: None,
) -> HealthVerdict:
    """Look at the checks of one shard until each is decided.

    `outputs` are the shard's values after the apply, by name. `stop` is asked before every look; once it is
    set, what is undecided is left so. `on_progress` is called for every look that saw something new.
    """
    began = doors.clock.monotonic()
    watched = [_Watched(check, began) for check in checks]
    for each in watched:
        each.prepare(outputs)
    stopped = False
    while not stopped and (open_ := _undecided(watched)):
        stopped = _nap(min(each.due for each in open_), doors, stop)
        if not stopped:
            _look(open_, doors, on_progress)
    return HealthVerdict(
        answers=tuple(each.answer() for each in watched),
        seconds=doors.clock.monotonic() - began,
        stopped=stopped,
    )


def pinned(checks: Sequence[Check], state: Document, outputs: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return the checks, those of ECS services with the task definition of the applied state.

    `state` and `outputs` are those right after the apply; a check that names its task definition keeps it.
    One that refers to a missing output stays as it is, for `watch` to say so.
    """
    return tuple(
        check.model_copy(update={"task_definition": _planned(check, state, outputs)})
        if isinstance(check, EcsServiceSteady) and check.task_definition is None
        else check
        for check in checks
    )


@dataclass(slots=True)
class _Watched:
    """A check on its way."""

    check: Check
    began: float
    due: float = field(init=False)
    tally: Tally = field(default_factory=Tally)
    ended: Ended | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.due = self.began

    def prepare(self, outputs: Mapping[str, Any]) -> None:
        if self.check.off is not None:
            self.ended = Ended(Result.OFF, f"switched off: {self.check.off}")
            return
        try:
            self.check = resolved(self.check, outputs)
        except HoldfastError as error:
            self.ended = Ended(Result.FAILED, error.what)

    def take(self, observation: Observation, now: float) -> bool:
        """Count a look; returns whether it saw something new."""
        new = observation != self.tally.last
        ends = self.began + self.check.window
        self.tally = self.tally.after(observation)
        self.ended = judge(self.check, self.tally, over=now >= ends)
        # The last look is at the very end, so that an alarm is watched for all of its window.
        self.due = min(now + self.check.interval, max(ends, now))
        self.seconds = now - self.began
        return new

    def answer(self) -> CheckAnswer:
        undecided = self.tally.last.what if self.tally.last else "not looked at"
        ended = self.ended or Ended(Result.STOPPED, f"not decided: {undecided}")
        return CheckAnswer(
            check=self.check.name,
            kind=self.check.kind,
            result=ended.result,
            why=ended.why,
            looks=self.tally.looks,
            seconds=self.seconds,
        )


def _undecided(watched: Sequence[_Watched]) -> list[_Watched]:
    """The checks still to look at; none once one has failed."""
    if any(each.ended is not None and each.ended.result is Result.FAILED for each in watched):
        return []
    return [each for each in watched if each.ended is None]


def _look(open_: Sequence[_Watched], doors: CheckContext, on_progress: OnProgress) -> None:
    now = doors.clock.monotonic()
    due = [each for each in open_ if each.due <= now]
    observations = look_at_all([each.check for each in due], lambda check: look(check, doors))
    now = doors.clock.monotonic()
    for each, observation in zip(due, observations, strict=True):
        if each.take(observation, now):
            on_progress(
                CheckProgress(
                    check=each.check.name,
                    kind=each.check.kind,
                    standing=observation.standing,
                    what=observation.what,
                    seconds=each.seconds,
                )
            )


def _nap(until: float, doors: CheckContext, stop: StopSignal | None) -> bool:
    """Sleep until then; True where somebody asked to stop."""
    while not (stop is not None and stop.asked):
        left = until - doors.clock.monotonic()
        if left <= 0:
            return False
        doors.clock.sleep(min(left, _LONGEST_NAP_SECONDS))
    return True


def _planned(check: EcsServiceSteady, state: Document, outputs: Mapping[str, Any]) -> str | None:
    try:
        check = resolved(check, outputs)
    except HoldfastError:
        return None
    planned = {
        str(attributes["task_definition"])
        for _, resource, instance in managed(state)
        if resource["type"] == "aws_ecs_service"
        and "deposed" not in instance
        and (attributes := instance.get("attributes") or {}).get("name") == _last_part(check.service)
        and attributes.get("task_definition")
        and _last_part(attributes.get("cluster")) == _last_part(check.cluster)
    }
    return planned.pop() if len(planned) == 1 else None


def _last_part(name_or_arn: object) -> str:
    return str(name_or_arn).rpartition("/")[2]
