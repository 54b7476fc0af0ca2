"""Who answers for an alarm, where it is written down what to do, and who is called when nobody answers.

No alarm without a runbook, no runbook without an owner, no owner without a deputy: each is an error at synth.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.runbooks import shipped

Severity = Literal["sev1", "sev2", "sev3", "security"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

# The lines between two lines of hyphens at the beginning of a runbook.
_HEADER = re.compile(r"---\n(?P<lines>.*?)\n?---\n", re.DOTALL)
_MANY_MINUTES = 24 * 60


@checked
@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for something, and who does when they cannot. Raises ConstructError for one person."""

    name: str
    deputy: str

    def __post_init__(self) -> None:
        for key, value in (("name", self.name), ("deputy", self.deputy)):
            if not value.strip():
                raise ConstructError(f"{key} of an Owner", got=value, allowed="a team or a person")
        if self.name.strip() == self.deputy.strip():
            raise ConstructError(
                "deputy of an Owner", got=self.deputy, allowed=f"somebody else than {self.name}"
            )


@dataclass(frozen=True, slots=True)
class Runbook:
    """A runbook of the project: its file as it is written in an alarm, and the owner that it names."""

    file: str
    owner: Owner


@checked
@dataclass(frozen=True, slots=True)
class Step:
    """Somebody who is called where an alarm is not taken up: `Step("incident commander", 10)`."""

    who: str
    after_minutes: int

    def __post_init__(self) -> None:
        if not self.who.strip():
            raise ConstructError("who of a Step", got=self.who, allowed="a role, a team or a person")
        if not 0 <= self.after_minutes <= _MANY_MINUTES:
            raise ConstructError(
                f"after_minutes of {self.who}", got=self.after_minutes, allowed=f"0-{_MANY_MINUTES}"
            )


@checked
@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is called and when, for one severity; `told` says who else has to hear of it.

    Raises ConstructError unless the first is called at once, and each other one later than the one before.
    """

    steps: tuple[Step, ...]
    told: str = ""

    def __post_init__(self) -> None:
        minutes = [step.after_minutes for step in self.steps]
        if not minutes or minutes[0] != 0:
            raise ConstructError("the first step", got=minutes[:1], allowed="one after 0 minutes")
        if any(later <= earlier for earlier, later in pairwise(minutes)):
            raise ConstructError(
                "after_minutes of the steps", got=minutes, allowed="each later than the last"
            )

    @property
    def text(self) -> str:
        """The steps in one line: `primary on-call, secondary on-call +5 min`."""
        return ", ".join(
            step.who + (f" +{step.after_minutes} min" if step.after_minutes else "") for step in self.steps
        )


_PRIMARY, _SECONDARY = Step("primary on-call", 0), "secondary on-call"
# sev1: customers cannot work. sev2: the service is degraded. sev3: looked at in working hours.
DEFAULT_ESCALATION: Mapping[Severity, Escalation] = MappingProxyType(
    {
        "sev1": Escalation(
            (
                _PRIMARY,
                Step(_SECONDARY, 5),
                Step("incident commander", 10),
                Step("engineering director", 15),
                Step("CTO", 30),
            ),
            told="product, support and customer success",
        ),
        "sev2": Escalation(
            (_PRIMARY, Step(_SECONDARY, 15), Step("product lead", 30), Step("engineering director", 45))
        ),
        "sev3": Escalation((Step("primary on-call, in working hours", 0),)),
        "security": Escalation((Step("security duty officer", 0), Step("legal", 5))),
    }
)


def read_runbook(file: str, *, alarm: str, project: Path) -> Runbook:
    """Return the runbook in `file`, relative to `project`.

    Raises ConstructError, naming file and key, where there is no file, and where it names no owner or no
    deputy.
    """
    path = project / file
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise ConstructError(
            f"the runbook of alarm {alarm}", got=file, allowed="a file of the project, relative to its folder"
        )
    if not path.is_file():
        raise ConstructError(
            f"alarm {alarm} has no runbook: there is no file {file}", next_step=_how_to_write(file)
        )
    header = _header(path.read_text(encoding="utf-8"))
    for key in ("owner", "deputy"):
        if not header.get(key):
            raise ConstructError(
                f"{file} has no {key}",
                next_step=f"write `{key}: …` between two lines of `---` at its beginning",
            )
    if header["owner"] == header["deputy"]:
        raise ConstructError(
            f"deputy in {file}", got=header["deputy"], allowed=f"somebody else than {header['owner']}"
        )
    return Runbook(file, Owner(header["owner"], header["deputy"]))


def _header(text: str) -> Mapping[str, str]:
    match = _HEADER.match(text)
    lines = match["lines"].splitlines() if match else []
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _how_to_write(file: str) -> str:
    if Path(file).name in shipped():
        folder = Path(file).parent.as_posix()
        return (
            f"write those of the alarm sets: python -m holdfast_constructs.observability.runbooks {folder} "
            '--owner "…" --deputy "…"'
        )
    return "write it; the runbooks of the alarm sets show the headings"
