"""`holdfast doctor`: show what is missing, and the command that repairs it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator.cli._options import examples
from holdfast_orchestrator.cli._output import Output

if TYPE_CHECKING:
    from holdfast_orchestrator import Check
    from holdfast_orchestrator.system.runtime import Runtime

_MARKS = {"ok": ("✔", "green"), "missing": ("✘", "red"), "skipped": ("·", "yellow")}
_WIDTH = 24


@click.command(epilog=examples("holdfast doctor", "holdfast doctor --env prod", "holdfast doctor --json"))
@click.option("--project", type=click.Path(path_type=Path), help="The app's folder (default: this one).")
@click.option("--env", "environments", multiple=True, help="An environment to look at; repeatable.")
@click.option("--engine", help="terraform, tofu, or a path.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_obj
def command(runtime: "Runtime", /, *, project: Path | None, as_json: bool, **given: Any) -> None:
    """Check toolchain, providers, credentials and state buckets; change nothing.

    Exits with 1 if something is missing. What cannot be checked from here is skipped.
    """
    from holdfast_orchestrator.api.machine import examine  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.machine_documents import doctor_document  # noqa: PLC0415

    output = Output(runtime, json=as_json)
    with output.errors():
        checks = []
        for check in examine(
            project or Path(), env=given["environments"], engine=given["engine"], runtime=runtime
        ):
            checks.append(check)
            if not as_json:
                _show(output, check)
        document = doctor_document(checks)
        if as_json:
            output.answer(document)
    click.get_current_context().exit(0 if document.ok else 1)


def _show(output: Output, check: "Check") -> None:
    mark, color = _MARKS[check.status]
    status = "" if check.status == "ok" else f"{check.status}: "
    output.say_marked(mark, f"{check.name:<{_WIDTH}} {status}{check.found}", color=color)
    if check.next_step:
        output.say([f"  {'':<{_WIDTH}} next: {check.next_step}"])
