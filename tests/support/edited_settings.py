"""The settings of prod as they are, and what is said of them once something in them was changed."""

from pathlib import Path

from tests.support.example_settings import example, parse_environment

from holdfast_constructs.settings import InvalidSettingsError, Problem

PROD = example("prod")
FILE = Path("environments/prod.toml")


def edited(*edits: tuple[str, str]) -> str:
    text = PROD
    for old, new in edits:
        assert old in text, f"{old!r} is not in environments/prod.toml"
        text = text.replace(old, new)
    return text


def problems(text: str) -> tuple[Problem, ...]:
    try:
        parse_environment(text, FILE)
    except InvalidSettingsError as error:
        return error.problems
    return ()


def only(*edits: tuple[str, str]) -> Problem:
    found = problems(edited(*edits))
    assert len(found) == 1, "\n\n".join(map(str, found))
    return found[0]
