"""`holdfast doctor`: what is there, what is missing, and the command that mends it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from holdfast_orchestrator.doctor.check import Check
    from holdfast_orchestrator.system.runtime import Runtime

_MARKS = {"ok": ("✔", "green"), "missing": ("✘", "red"), "skipped": ("·", "yellow")}
_WIDTH = 24


@click.command(
    name="doctor",
    epilog="\b\nExamples:\n  holdfast doctor\n  holdfast doctor --env prod\n  holdfast doctor --json",
)
@click.option("--project", type=click.Path(path_type=Path), help="The app's folder (default: this one).")
@click.option("--env", "environments", multiple=True, help="An environment to look at; repeatable.")
@click.option("--engine", help="terraform, tofu, or a path.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_obj
@click.pass_context
def command(
    context: click.Context,
    runtime: "Runtime",
    *,
    project: Path | None,
    environments: tuple[str, ...],
    engine: str | None,
    as_json: bool,
) -> None:
    """Look at toolchain, providers, credentials and state buckets; change nothing.

    Ends with 1 where something is missing. What cannot be looked at from here is skipped.
    """
    from holdfast_orchestrator import doctor  # noqa: PLC0415 - loads boto3
    from holdfast_orchestrator.report.documents import as_json as plain  # noqa: PLC0415
    from holdfast_orchestrator.report.machine_documents import doctor_document  # noqa: PLC0415

    folder = runtime.cwd / project if project else runtime.cwd
    checks = []
    for check in doctor.examine(runtime, folder, environments=environments, engine=engine):
        checks.append(check)
        if not as_json:
            _show(runtime, check)
    document = doctor_document(checks)
    if as_json:
        click.echo(json.dumps(plain(document), indent=2), file=runtime.terminal.out)
    context.exit(0 if document.ok else 1)


def _show(runtime: "Runtime", check: "Check") -> None:
    mark, color = _MARKS[check.status]
    shown = click.style(mark, fg=color) if runtime.terminal.color else mark
    status = "" if check.status == "ok" else f"{check.status}: "
    seen = runtime.redactor.text
    lines = [f"{shown} {check.name:<{_WIDTH}} {status}{seen(check.found)}"]
    if check.next_step:
        lines.append(f"  {'':<{_WIDTH}} next: {seen(check.next_step)}")
    click.echo("\n".join(lines), file=runtime.terminal.out)
