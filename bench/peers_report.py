"""What `peers.py` found, as a Markdown table for docs/benchmarks.md and a plot beside it.

Figures carry the run they are of. Where a ratio is between figures of two runs, the table says so.
"""

import json
import os
import platform
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measure import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "peers.svg"
BEGIN, END = "<!-- bench-peers -->\n", "<!-- /bench-peers -->"
PEERS = {
    "holdfast": "Holdfast",
    "cdktf": "cdktf-cli 0.21",
    "pool": "thread pool of five",
    "serial": "shard after shard",
}
PHASES = {
    "first": "first deploy",
    "changed": "one shard changed",
    "unchanged": "nothing changed",
    "destroy": "destroy",
}
BASE = "holdfast"
# Marks a ratio between figures of two runs.
_MARK = r"\*"
CAPTION = """\
Seconds are of the whole command, in brackets how many times Holdfast's. Peak MiB is of all its processes
together, sampled ten times a second; pages they share count once for each. Each of so many shards is an SNS
topic, a log group and an SSM parameter with a state of its own in S3; the first of every five is read by the
others through its state. The full stack is environment `local` of this repository: network, edge with WAF,
data with PostgreSQL, and two services on Fargate, of which one gets another image.

* *Holdfast*: `holdfast deploy --yes` (or `destroy`) with its synth and its defaults: as many shards at
  once as it finds right, lease, backup, journal, a second plan that verifies each shard, health checks,
  audit.
* *cdktf-cli*: `cdktf deploy '*' --parallelism 5 --skip-provider-lock --auto-approve` (or `destroy`) from npm,
  with its synth and the stock bindings.
* *thread pool of five*, *shard after shard*: `terraform init`, `plan -out` and `apply` in each shard's
  folder. The synth is not in their time, and nothing verifies what they applied.

Everybody has a fresh local cloud and state bucket, takes the provider from the same folder on this disk, and
keeps its folders between phases; a synth came before the first. After each phase every object and every state
was looked up in the cloud.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """All samples of what one peer deployed in one phase.

    `failed` says why there are none. `run` is when it began.
    """

    seconds: tuple[float, ...] = ()
    mebibytes: tuple[float, ...] = ()
    failed: str = ""
    run: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def text(self) -> str:
        return self.failed or f"{self.median:.1f} s, {max(self.mebibytes):.0f} MiB"


@dataclass(slots=True)
class Figures:
    """Every figure there is, by what was deployed (a number of shards, or "full"), phase and peer."""

    _all: dict[tuple[str, str, str], Figure] = field(default_factory=dict)
    _run: str = ""

    @classmethod
    def load(cls, file: Path) -> "Figures":
        """Read what was saved; nothing where there is no such file."""
        if not file.exists():
            return cls()
        rows = json.loads(file.read_text())
        return cls({(row.pop("deployed"), row.pop("phase"), row.pop("peer")): Figure(**row) for row in rows})

    def save(self, file: Path) -> None:
        rows = [
            {"deployed": deployed, "phase": phase, "peer": peer, **asdict(figure)}
            for (deployed, phase, peer), figure in self._all.items()
        ]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(rows, indent=2) + "\n")

    def begin(self, run: str) -> None:
        """From now on figures are of this run; one of an earlier run is replaced, not averaged with."""
        self._run = run

    def add(self, deployed: str, phase: str, peer: str, figure: Figure) -> None:
        key = (deployed, phase, peer)
        before = self._all.get(key, Figure())
        if before.run != self._run:
            before = Figure()
        self._all[key] = Figure(
            seconds=(*before.seconds, *figure.seconds),
            mebibytes=(*before.mebibytes, *figure.mebibytes),
            failed=before.failed or figure.failed,
            run=self._run,
        )

    def get(self, deployed: str, phase: str, peer: str) -> Figure | None:
        return self._all.get((deployed, phase, peer))

    @property
    def deployed(self) -> list[str]:
        """Numbers first, in order."""
        return sorted({one for one, _, _ in self._all}, key=lambda one: (len(one), one))

    @property
    def phases(self) -> list[str]:
        return [phase for phase in PHASES if any(phase == one for _, one, _ in self._all)]

    @property
    def samples(self) -> list[int]:
        """How many samples figures have."""
        return sorted({len(figure.seconds) for figure in self._all.values() if not figure.failed})

    @property
    def runs(self) -> int:
        return len({figure.run for figure in self._all.values()})


def titled(deployed: str) -> str:
    """Return what was deployed, as a reader calls it."""
    return f"{deployed} shards" if deployed.isdecimal() else f"{deployed} stack"


def markdown(figures: Figures) -> str:
    """Return caption and table."""
    samples = " or ".join(map(str, figures.samples)) or "none"
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    kinds = "one run" if figures.runs == 1 else f"{figures.runs} runs"
    by = f"Measured by `make bench-peers` on {machine}, Python {platform.python_version()}, in {kinds}."
    phases = figures.phases
    return "\n".join(
        (
            f"{by} Medians; samples of each figure: {samples}.",
            CAPTION,
            f"| | | {' | '.join(PHASES[phase] for phase in phases)} | peak MiB |",
            f"|---|---|{'---|' * len(phases)}---|",
            *_with_note(list(_rows(figures))),
            "",
        )
    )


def _with_note(rows: list[str]) -> list[str]:
    """Explain the mark of a ratio below the table, where a row has it."""
    note = ["", f"{_MARK} compares figures of two runs."] if any(_MARK in row for row in rows) else []
    return [*rows, *note]


def _rows(figures: Figures) -> Iterator[str]:
    for deployed in figures.deployed:
        for peer, title in PEERS.items():
            found = [figures.get(deployed, phase, peer) for phase in figures.phases]
            if any(found):
                cells = [_cell(figures, deployed, phase, peer) for phase in figures.phases]
                peak = max((max(one.mebibytes) for one in found if one and not one.failed), default=None)
                memory = "" if peak is None else f"{peak:.0f}"
                yield f"| {titled(deployed)} | {title} | {' | '.join(cells)} | {memory} |"


def _cell(figures: Figures, deployed: str, phase: str, peer: str) -> str:
    figure, base = figures.get(deployed, phase, peer), figures.get(deployed, phase, BASE)
    if figure is None or figure.failed:
        return "" if figure is None else figure.failed
    if peer == BASE or base is None or base.failed:
        return f"{figure.median:.1f}"
    mark = "" if figure.run == base.run else _MARK
    return f"{figure.median:.1f} ({figure.median / base.median:.1f}x{mark})"


def write(figures: Figures) -> None:
    """Put the table into docs/benchmarks.md, between its markers, and the plot beside it."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    picture = f"![Seconds by phase, number of shards and peer]({PLOT.name})\n\n"
    PAGE.write_text(f"{before}{BEGIN}{picture}{markdown(figures)}{END}{after}", encoding="utf-8")
    PLOT.write_text(plot(figures), encoding="utf-8")


def plot(figures: Figures) -> str:
    """Return an SVG: a panel for each phase, in it a bar for each peer. Readable light and dark."""
    panels = [_panel(figures, phase, number) for number, phase in enumerate(figures.phases)]
    height = _TOP + (len(panels) + 1) // 2 * _panel_height(figures)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {height}" role="img">',
            "<title>Seconds of Holdfast and its peers</title>",
            _STYLE,
            *_legend(),
            *(line for panel in panels for line in panel),
            "</svg>\n",
        )
    )


_WIDTH, _TOP, _BAR, _GAP, _TITLE = 400, 34, 13, 9, 30
_LEFT, _LONGEST = 34, 300
_COLORS = {"holdfast": "#2f81f7", "cdktf": "#d29922", "pool": "#3fb950", "serial": "#8b949e"}
_STYLE = """<style>
text { font: 11px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>"""


def _legend() -> Iterator[str]:
    for number, (peer, title) in enumerate(PEERS.items()):
        x = 10 + number * 150
        yield f'<rect x="{x}" y="10" width="10" height="10" fill="{_COLORS[peer]}"/>'
        yield f'<text x="{x + 15}" y="19">{title}</text>'


def _panel_height(figures: Figures) -> int:
    return _TITLE + len(figures.deployed) * (len(PEERS) * _BAR + _GAP)


def _panel(figures: Figures, phase: str, number: int) -> Iterator[str]:
    x, y = number % 2 * _WIDTH, _TOP + number // 2 * _panel_height(figures)
    title = f"{PHASES[phase]}, seconds (by number of shards)"
    yield f'<text class="title" x="{x + 10}" y="{y + 16}">{title}</text>'
    found = [figures.get(deployed, phase, peer) for deployed in figures.deployed for peer in PEERS]
    longest = max((one.median for one in found if one and not one.failed), default=1.0)
    for row, deployed in enumerate(figures.deployed):
        top = y + _TITLE + row * (len(PEERS) * _BAR + _GAP)
        middle = top + len(PEERS) * _BAR // 2 + 4
        yield f'<text x="{x + _LEFT - 6}" y="{middle}" text-anchor="end">{deployed}</text>'
        for place, peer in enumerate(PEERS):
            figure = figures.get(deployed, phase, peer)
            if figure is not None:
                yield from _bar(figure, _COLORS[peer], longest, (x + _LEFT, top + place * _BAR))


def _bar(figure: Figure, color: str, longest: float, corner: tuple[int, int]) -> Iterator[str]:
    x, y = corner
    width = 0.0 if figure.failed else figure.median / longest * _LONGEST
    yield f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{_BAR - 2}" fill="{color}"/>'
    shown = figure.failed.partition(" (")[0] or f"{figure.median:.1f}"
    yield f'<text x="{x + width + 4:.1f}" y="{y + _BAR - 2}">{shown}</text>'
