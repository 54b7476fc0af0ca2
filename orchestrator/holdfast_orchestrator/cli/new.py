"""`holdfast new`: one more part of a project."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast_orchestrator.cli._options import examples, json_option, project_option
from holdfast_orchestrator.cli._output import Output

if TYPE_CHECKING:
    from holdfast_orchestrator.api.new import TaskKind, Written
    from holdfast_orchestrator.system.runtime import Runtime

# A new project has more files than anybody reads.
_MOST_NAMED = 6


@click.group(
    name="new",
    epilog=examples(
        "holdfast new service payments", "holdfast new worker emails", "holdfast new env staging"
    ),
)
def command() -> None:
    """Add a service, a worker, a job, a consumer, a database or an environment to a project.

    No file is written over; `new database` adds lines to the stack of a service that is there.
    """


@command.command(
    epilog=examples(
        "holdfast new service payments",
        "holdfast new service invoices --database",
        "holdfast new service payments --env local --env prod",
    )
)
@click.argument("name")
@click.option(
    "--env", multiple=True, metavar="NAME", help="Only in this environment; repeatable.  [default: all]"
)
@click.option("--database", is_flag=True, help="With a PostgreSQL database of its own.")
@project_option
@json_option
@click.pass_obj
def service(
    runtime: "Runtime", *, name: str, env: tuple[str, ...], database: bool, project: Path, as_json: bool
) -> None:
    """Write a web service: its stack in a file of its own, and its settings in each environment.

    The stack is a copy of the example's, under the new name. The settings are added at the end of
    environments/*.toml.
    """
    from holdfast_orchestrator.api.new import new_service  # noqa: PLC0415 - when it runs

    output = Output(runtime, json=as_json)
    with output.errors():
        say_written(output, new_service(name, project, env=env, database=database, runtime=runtime))


def _add(kind: "TaskKind", what: str, example: str) -> None:
    """Add the command that writes a service of a kind, which is `what`."""

    @command.command(name=kind, epilog=examples(example))
    @click.argument("called", metavar="NAME")
    @click.option(
        "--env", multiple=True, metavar="NAME", help="Only in this environment; repeatable.  [default: all]"
    )
    @project_option
    @json_option
    @click.pass_obj
    def added(runtime: "Runtime", *, called: str, env: tuple[str, ...], project: Path, as_json: bool) -> None:
        from holdfast_orchestrator.api.new import new_task  # noqa: PLC0415 - when it runs

        output = Output(runtime, json=as_json)
        with output.errors():
            say_written(output, new_task(called, project, kind=kind, env=env, runtime=runtime))

    added.help = f"Write {what}: its stack in a file of its own, and its settings in each environment."


_add("worker", "a worker that takes messages from a queue of its own", "holdfast new worker emails")
_add("job", "a job that starts at set times", "holdfast new job report")
_add("consumer", "a consumer of EventBridge's events", "holdfast new consumer shipments")


@command.command(epilog=examples("holdfast new database payments"))
@click.argument("name")
@project_option
@json_option
@click.pass_obj
def database(runtime: "Runtime", *, name: str, project: Path, as_json: bool) -> None:
    """Write a PostgreSQL database for the web service NAME, or in a stack of its own where there is none.

    A service gets its table in each environment that has it, and `connect_to` in its stack. It logs in as a
    user of PostgreSQL that is called like it.
    """
    from holdfast_orchestrator.api.new import new_database  # noqa: PLC0415 - when it runs

    output = Output(runtime, json=as_json)
    with output.errors():
        say_written(output, new_database(name, project, runtime=runtime))


@command.command(
    epilog=examples("holdfast new env staging", "holdfast new env staging --like prod --account 109812345678")
)
@click.argument("name")
@click.option(
    "--like", metavar="NAME", help="The environment to copy.  [default: the first that is not local]"
)
@click.option("--account", metavar="ID", help="The AWS account.  [default: that of the environment copied]")
@project_option
@json_option
@click.pass_obj
def env(
    runtime: "Runtime", *, name: str, like: str | None, account: str | None, project: Path, as_json: bool
) -> None:
    """Write the settings of an environment: a copy of another's.

    It gets a state bucket, a domain and networks of its own.
    """
    from holdfast_orchestrator.api.new import new_environment  # noqa: PLC0415 - when it runs

    output = Output(runtime, json=as_json)
    with output.errors():
        say_written(output, new_environment(name, project, like=like, account=account, runtime=runtime))


def say_written(output: Output, written: "Written") -> None:
    """Say what was written, and what to do next."""
    from holdfast_orchestrator.report.new_documents import new_document  # noqa: PLC0415 - when it runs

    document = new_document(written)
    if output.json:
        output.answer(document)
        return
    if len(document.created) > _MOST_NAMED:
        output.say([f"wrote {len(document.created)} files into {document.folder}"])
    else:
        output.say([f"wrote {path}" for path in document.created])
    output.say([f"added to {path}" for path in document.extended])
    output.say(
        [f"{'  next  ' if index == 0 else '        '}{step}" for index, step in enumerate(document.next)]
    )
