"""What runs the pages: it takes each step, and it notices what is not as on the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.written_pages import Shell, changed, fresh_environ, steps

FIRST, SECOND = "01M8PH91AHJMTVNX7RW2HJ6WBA", "01M8P6Q0560E7DRWQ81K855G3N"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path, fresh_environ(tmp_path), places={str(tmp_path): "/home/jane"})
    yield shell
    shell.close()


def take(shell: Shell, text: str) -> None:
    page = shell.folder / "page.md"
    page.write_text(text, encoding="utf-8")
    for step in steps(page):
        shell.take(step)
    shell.finish()


def test_files_are_written_changed_and_seen_by_the_commands_that_follow(shell: Shell) -> None:
    take(
        shell,
        "```console\n$ mkdir -p shop\n$ cd shop\n```\n"
        '```toml title="a/settings.toml"\nname = "shop"\ntasks = 2\n```\n'
        '```diff title="a/settings.toml"\n name = "shop"\n-tasks = 2\n+tasks = 4\n```\n'
        '```console\n$ cat a/settings.toml\nname = "shop"\ntasks = 4\n$ pwd\n/home/jane/shop\n```\n',
    )


def test_ids_and_seconds_may_differ_and_an_id_is_that_of_the_run_at_hand(shell: Shell) -> None:
    take(
        shell,
        f"```console\n$ echo 'run {SECOND} took 3.1 s, backup 2'\nrun {FIRST} took 12 s, backup 2\n"
        f"$ echo show {FIRST}\nshow {FIRST}\n```\n",
    )

    assert shell.run(f"echo {SECOND}")[0] == 0


def test_a_command_that_fails_is_followed_by_its_exit_code(shell: Shell) -> None:
    take(shell, "```console\n$ (exit 5)\n$ echo $?\n5\n```\n")


def test_lines_may_be_left_out_and_cut(shell: Shell) -> None:
    take(shell, "```console\n$ printf 'one two\\nthree\\nfour\\n'\nfour\none …\n…\n```\n")


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ printf 'one\\ntwo\\n'\none\n```\n",
        "```console\n$ printf 'one\\n'\none\none\n…\n```\n",
        "```console\n$ (exit 5)\n$ echo one\n```\n",
        "```console\n$ (exit 5)\n$ echo $?\n4\n```\n",
        "```console\n$ (exit 5)\n```\n",
        f"```console\n$ echo {SECOND}; echo {FIRST}\n{FIRST}\n{FIRST}\n```\n",
        '```toml title="a"\nx = 1\n```\n```diff title="a"\n-y = 1\n+y = 2\n```\n',
        "```console\n$ exit 3\n```\n",
    ],
    ids=[
        "another line",
        "a line more",
        "a line less",
        "failed, not said",
        "another code",
        "failed at the end",
        "one id for two",
        "nothing to change",
        "the shell ends",
    ],
)
def test_what_is_not_as_on_the_page_is_noticed(shell: Shell, text: str) -> None:
    with pytest.raises(AssertionError):
        take(shell, text)


def test_a_block_that_is_not_run_is_left_out(shell: Shell) -> None:
    take(shell, "<!-- not run: needs an account -->\n```console\n$ false\n```\n")


def test_lines_are_added_at_the_end() -> None:
    assert changed("a\n", "+\n+b\n") == "a\n\nb\n"
