"""Runs Checkov over environment `prod` as synthesized, and compares its findings with tools/checkov.toml.

    python -m venv /tmp/checkov && /tmp/checkov/bin/pip install checkov==3.3.30
    python tools/checkov.py --checkov /tmp/checkov/bin/checkov

Exit code 1 for a file that Checkov cannot read, a finding that is no exception, an exception without a
finding, and one whose time is over. Checkov is not part of Holdfast's own environment; no test needs it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = ROOT / "tools" / "checkov.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One finding that is meant: `resource` is a pattern that must match all of Checkov's name for it."""

    check: str
    resource: str
    reason: str
    owner: str
    since: date
    expires: date

    def covers(self, check: str, resource: str) -> bool:
        """Whether a finding is this one."""
        return check == self.check and re.fullmatch(self.resource, resource) is not None


def waivers(file: Path = EXCEPTIONS) -> tuple[Waiver, ...]:
    """Return the exceptions in `file`."""
    return tuple(Waiver(**each) for each in tomllib.loads(file.read_text(encoding="utf-8"))["exceptions"])


def complaints(report: dict[str, Any], allowed: Sequence[Waiver], today: date) -> Iterator[str]:
    """Yield what is wrong: with the findings in Checkov's report, and with the exceptions."""
    if report.get("summary", report).get("parsing_errors"):
        yield "Checkov cannot read some of the files"
    findings = _findings(report)
    for check, resource in findings:
        if not any(waiver.covers(check, resource) for waiver in allowed):
            yield f"{check} fails for {resource}, which is no exception"
    for waiver in allowed:
        if not any(waiver.covers(*finding) for finding in findings):
            yield f"{waiver.check} no longer fails for {waiver.resource}: remove the exception"
        if waiver.expires < today:
            yield f"{waiver.check} was an exception until {waiver.expires}: ask {waiver.owner}"


def _findings(report: dict[str, Any]) -> list[tuple[str, str]]:
    failed = report.get("results", {}).get("failed_checks", ())
    return [(each["check_id"], each["resource"].removeprefix("resource.")) for each in failed]


def _synthesized(outdir: Path) -> Path:
    environ = {**os.environ, "HOLDFAST_ENV": "prod", "CDKTF_OUTDIR": str(outdir)}
    subprocess.run([sys.executable, "-m", "holdfast_stacks"], cwd=ROOT, env=environ, check=True)
    return outdir


def _report(checkov: str, folder: Path) -> dict[str, Any]:
    command = [checkov, "-d", str(folder), "--framework", "terraform_json", "-o", "json", "--skip-download"]
    completed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    report: dict[str, Any] = json.loads(completed.stdout)
    return report


def main(arguments: Iterable[str] | None = None) -> int:
    """Scan, print what is wrong, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkov", default="checkov", help="the program (default: on PATH)")
    options = parser.parse_args(None if arguments is None else list(arguments))
    with tempfile.TemporaryDirectory() as folder:
        report = _report(options.checkov, _synthesized(Path(folder)))
    wrong = list(complaints(report, waivers(), datetime.now(UTC).date()))
    summary = report.get("summary", report)
    print(*wrong, f"{summary.get('passed', 0)} passed, {summary.get('failed', 0)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
