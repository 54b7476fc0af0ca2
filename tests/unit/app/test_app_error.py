"""What an app failed with is told in few lines, with the user's own file and line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.app.app_error import AppError, error_in

APP = Path("/srv/app")
JSII = """jsii.errors.JavaScriptError:
  Error: There is already a Construct with name 't' in TerraformStack [a]
      at Node.addChild (/tmp/jsii/lib/construct.js:447:19)

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/main.py", line 25, in <module>
    build(app)
  File "/srv/app/stacks/a.py", line 7, in build
    SnsTopic(a, "t")
    ^^^^^^^^^^^^^^^^
  File "/srv/app/.venv/lib/python3.11/site-packages/jsii/_runtime.py", line 118, in __call__
    inst = super().__call__(*args, **kwargs)
RuntimeError: Error: There is already a Construct with name 't' in TerraformStack [a]
"""
CYCLE = """Traceback (most recent call last):
  File "/srv/app/main.py", line 26, in <module>
    app.synth()
RuntimeError: Error: Resolution error: Cannot add dependency a-dev to b-dev, because it would cause a circular dependency.

TerraformStack a-dev is already dependent on b-dev directly, or dependent on a TerraformStack within b-dev.
"""  # noqa: E501
SYNTAX = """  File "/srv/app/main.py", line 3
    def x(
         ^
SyntaxError: '(' was never closed
"""


def test_the_innermost_line_of_the_user_comes_first_and_installed_packages_are_left_out() -> None:
    error = error_in(JSII, APP)

    assert error is not None
    assert list(error.lines()) == [
        "RuntimeError: There is already a Construct with name 't' in TerraformStack [a]",
        '  at    stacks/a.py:7  SnsTopic(a, "t")',
        "  from  main.py:25  build(app)",
    ]


def test_a_cycle_names_its_stacks_and_what_to_do() -> None:
    error = error_in(CYCLE, APP)

    assert error is not None
    assert error.text.startswith("stacks a-dev and b-dev use each other's attributes")
    assert "developer.hashicorp.com" not in error.text


def test_a_traceback_without_a_line_of_the_users_and_no_traceback_are_left_to_others() -> None:
    inside = JSII.replace("/srv/app/main.py", "/x/site-packages/m.py").replace(
        "/srv/app/stacks/a.py", "/x/site-packages/a.py"
    )

    assert error_in(inside, APP) is None
    assert error_in("npm ERR! no such script", APP) is None


def test_of_two_tracebacks_the_last_counts() -> None:
    error = error_in(
        CYCLE + "\nDuring handling of the above exception, another one occurred:\n\n" + JSII, APP
    )

    assert error is not None
    assert error.text.startswith("RuntimeError: There is already")


@pytest.mark.parametrize("length", [10, 5000])
def test_a_very_long_message_is_cut(length: int) -> None:
    text = f'Traceback (most recent call last):\n  File "/srv/app/a.py", line 1\n    x\nE: {"y" * length}'

    error = error_in(text, APP)

    assert error is not None
    assert len(error.text) <= 600


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for each in (text, f"Traceback (most recent call last):\n{text}", JSII + text):
        assert isinstance(error_in(each, APP), AppError | None)
