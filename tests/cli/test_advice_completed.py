"""Every command in advice repeats what the user gave, so that it works where it is printed."""

import click
import pytest

from holdfast_orchestrator.cli import group
from holdfast_orchestrator.cli._advice import ARGV, Advice

RUN = "01JD3K4T7Q9ZV5M2X8R6W1B0CE"
RUNS = "holdfast runs --project app --env dev"


def advice_in(*argv: str, values_known: bool = False) -> Advice:
    """The advice of a command line that was typed."""
    root = group.make_context("holdfast", list(argv), resilient_parsing=True)
    root.meta[ARGV] = argv
    command: click.Command = group
    words, context = list(argv), root
    while isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        assert inner is not None
        context = inner.make_context(words[0], words[1:], parent=context, resilient_parsing=True)
        command, words = inner, words[1:]
    with context:
        advice = Advice.current()
    advice.values_known = values_known
    return advice


@pytest.mark.parametrize(
    ("argv", "text", "completed"),
    [
        (
            ("deploy", "--project", "app", "--env", "dev", "--yes"),
            f"once it is gone: holdfast resume {RUN} --continue; or: holdfast runs",
            f"once it is gone: holdfast resume --project app --env dev {RUN} --continue; or: {RUNS}",
        ),
        (
            ("deploy", "--state-bucket", "states", "--region", "eu-west-1"),
            f"holdfast resume {RUN}, when that has passed",
            f"holdfast resume --state-bucket states --region eu-west-1 {RUN}, when that has passed",
        ),
        (
            ("deploy", "--env", "dev", "--output", "out", "--var-file", "a b.tfvars"),
            "holdfast deploy --env dev --stack 'R&D(web)'",
            "holdfast deploy --output out --var-file 'a b.tfvars' --env dev --stack 'R&D(web)'",
        ),
        (
            ("state", "backups", "orders", "--state-bucket", "b", "--region", "r"),
            "to see them: holdfast state backups orders/1/r/dev",
            "to see them: holdfast state backups --state-bucket b --region r orders/1/r/dev",
        ),
        (
            ("bootstrap", "--env", "prod"),
            "holdfast deploy --env prod --stack shop.foundation-prod-eu-west-1 --adopt aws_iam_policy.x",
            "holdfast bootstrap --env prod --adopt aws_iam_policy.x",
        ),
        (("plan", "--state-bucket", "b"), "see holdfast runs", "see holdfast runs"),
        (("runs", "--state-bucket", "b", "--region", "r"), "then holdfast plan", "then holdfast plan"),
        (("plan", "--env", "dev"), "look: holdfast synth", "look: holdfast synth --env dev"),
        (("plan", "--project", "app"), "(`holdfast local up`)", "(`holdfast local up --project app`)"),
        (("plan",), "look: holdfast synth", "look: holdfast synth"),
        (("plan", "--project", "app"), "holdfast is at work", "holdfast is at work"),
    ],
)  # fmt: skip
def test_a_command_gets_the_options_that_were_given(argv: tuple[str, ...], text: str, completed: str) -> None:
    advice = advice_in(*argv)

    assert advice.completed(text) == completed
    assert advice.completed(completed) == completed, "nothing is said twice"


def test_values_of_variables_are_repeated_once_the_secret_ones_are_known() -> None:
    argv, text = ("deploy", "--var", "size=2"), "holdfast deploy --env dev"

    assert advice_in(*argv).completed(text) == "holdfast deploy --var 'size=(hidden)' --env dev"
    assert advice_in(*argv, values_known=True).completed(text) == "holdfast deploy --var size=2 --env dev"


@pytest.mark.parametrize(
    ("argv", "about", "text", "completed"),
    [
        (
            ("plan", "--env", "dev", "--service", "paymens"),
            "--service 'paymens' matches no stack; there are: payments",
            "if you mean it: holdfast … --service payments",
            "if you mean it: holdfast plan --env dev --service payments",
        ),
        (
            ("plan", "--env=prd", "--service", "payments"),
            "--env 'prd' matches no stack",
            "if you mean it: holdfast … --env prod",
            "if you mean it: holdfast plan --service payments --env prod",
        ),
        (
            ("destroy", "--env", "dev", "--stack", "edge"),
            "orders would lose what it depends on",
            "destroy them too: holdfast … --include-dependents",
            "destroy them too: holdfast destroy --env dev --stack edge --include-dependents",
        ),
        (
            ("deploy", "--yes"),
            "",
            "allow it: holdfast … --allow-destroy 'aws_sqs_queue.q[\"a,b\"]'",
            "allow it: holdfast deploy --yes --allow-destroy 'aws_sqs_queue.q[\"a,b\"]'",
        ),
        (
            ("rollback", "orders", "--yes"),
            "",
            "accept it: holdfast … --stack orders-dev --rebaseline",
            "accept it: holdfast rollback orders --yes --rebaseline",
        ),
        (
            ("list",),
            "",
            "use less: holdfast … --max-parallel 1",
            "use less: --max-parallel 1",
        ),
        (
            ("plan", "--var", "password=hunter2"),
            "",
            "name it: holdfast … --env dev",
            "name it: the same command with --env dev (values of --var are not repeated here)",
        ),
    ],
)  # fmt: skip
def test_an_option_as_advice_is_the_command_that_was_run_with_it(
    argv: tuple[str, ...], about: str, text: str, completed: str
) -> None:
    assert advice_in(*argv).completed(text, about=about) == completed


def test_a_name_that_does_not_exist_is_not_repeated() -> None:
    advice = advice_in("plan", "--env", "prd", "--project", "app")

    assert advice.completed("see holdfast list", about="--env 'prd' matches no stack") == (
        "see holdfast list --project app"
    )


def test_next_steps_in_documents_are_completed_and_nothing_else() -> None:
    advice = advice_in("deploy", "--project", "app")
    document = {"shards": [{"next_step": "holdfast runs", "command": "holdfast runs"}], "next_step": None}

    assert advice.completed_value(document) == {
        "shards": [{"next_step": "holdfast runs --project app", "command": "holdfast runs"}],
        "next_step": None,
    }
