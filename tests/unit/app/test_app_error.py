"""What an app failed with is told in few lines, with the user's own file and line."""

import json
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


def report(*edges: tuple[str, str, list[dict[str, str]]], more: int = 0) -> str:
    cycle = [{"stack": stack, "needs": needs, "uses": uses, "more": more} for stack, needs, uses in edges]
    return json.dumps({"cycle": cycle})


USE = {
    "construct": "b-dev/events",
    "attribute": "tags.Name",
    "line": "/srv/app/stacks/b.py:7",
    "origin": "a-dev/own",
    "origin_line": "/elsewhere/a.py:3",
    "reference": "arn",
}


def test_each_reference_of_a_cycle_is_told_where_the_app_s_python_reported_it() -> None:
    told = report(("b-dev", "a-dev", [USE]), ("a-dev", "b-dev", [{"line": "/srv/app/main.py:9"}]))

    error = error_in(CYCLE, APP, cycle=[told])

    assert error is not None
    assert list(error.lines()) == [
        "stacks b-dev and a-dev need each other, so that none can be deployed first",
        "  b-dev needs a-dev, which closes the circle:",
        "    stacks/b.py:7  tags.Name of b-dev/events uses arn of a-dev/own (/elsewhere/a.py:3)",
        "  a-dev needs b-dev:",
        "    main.py:9  by add_dependency",
    ]


def test_of_a_longer_cycle_all_stacks_are_named_and_what_is_not_known_is_said() -> None:
    told = report(("b-dev", "a-dev", []), ("a-dev", "c", []), ("c", "b-dev", [USE]), more=2)

    error = error_in(CYCLE, APP, cycle=[told])

    assert error is not None
    assert error.text.startswith("stacks b-dev, a-dev and c need each other in a circle")
    assert "    in a way that could not be found" in error.rows
    assert "    and 2 more" in error.rows


@pytest.mark.parametrize(
    "reports",
    [[], ["{"], ["[]"], ["{}"], ['{"cycle": [3]}'], [report(("x", "y", [USE]))]],
    ids=["none", "broken", "a list", "empty", "no edge", "of another cycle, which the app survived"],
)
def test_without_a_report_of_this_cycle_the_message_s_own_stacks_are_named(reports: list[str]) -> None:
    error = error_in(CYCLE, APP, cycle=reports)

    assert error is not None
    assert error.text.startswith("stacks a-dev and b-dev use each other's attributes")
    assert error.rows == ("  at    main.py:26  app.synth()",)


RAISED_BELOW = """Traceback (most recent call last):
  File "/srv/app/.venv/lib/python3.11/site-packages/jsii/_kernel/__init__.py", line 259, in _callback
    result = _handle_callback(kernel, response)
  File "/srv/app/aspects.py", line 17, in visit
    raise ValueError("topic has no owner")
ValueError: topic has no owner

The above exception was the direct cause of the following exception:

jsii.errors.JavaScriptError:
  @jsii/kernel.RuntimeError: topic has no owner

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/main.py", line 56, in <module>
    app.synth()
RuntimeError: Resolution error: topic has no owner.
Object creation stack:
  at new LazyBase (/tmp/jsii/lazy.js:57:66)
"""


def test_what_an_aspect_raised_is_told_with_its_own_line() -> None:
    error = error_in(RAISED_BELOW, APP)

    assert error is not None
    assert list(error.lines()) == [
        "ValueError: topic has no owner",
        '  at    aspects.py:17  raise ValueError("topic has no owner")',
        "  from  main.py:56  app.synth()",
    ]


def test_a_cause_that_the_app_gave_itself_does_not_replace_its_exception() -> None:
    error = error_in(RAISED_BELOW.replace("RuntimeError: Resolution error: topic", "OwnError: topic"), APP)

    assert error is not None
    assert error.text == "OwnError: topic has no owner."


@pytest.mark.parametrize(
    "last_words",
    [
        "Exception ignored in atexit callback: <function stop at 0x7f>",
        "Error in atexit._run_exitfuncs:",
        "Exception ignored in: <function Node.__del__ at 0x7f>",
    ],
)
def test_what_python_says_as_it_ends_is_not_why(last_words: str) -> None:
    end = f"{last_words}\n{JSII.partition('exception:')[2].strip().replace('Error: There', 'Late: There')}"

    error = error_in(f"{JSII}{end}", APP)

    assert error is not None
    assert error.text.startswith("RuntimeError: There is already")


def test_a_file_that_is_no_python_is_named_with_its_line() -> None:
    for text in (SYNTAX, SYNTAX.strip(), f"Traceback (most recent call last):\n{SYNTAX}"):
        error = error_in(text, APP)
        assert error is not None
        assert list(error.lines()) == ["SyntaxError: '(' was never closed", "  at    main.py:3  def x("]


GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/srv/app/main.py", line 100, in <module>
  |     raise ExceptionGroup("two", errors)
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/app/a.py", line 3, in f
    |     int("x")
    | ValueError: first
    +---------------- 2 ----------------
    | TypeError: second
    +------------------------------------
"""


def test_of_a_group_of_exceptions_all_are_told() -> None:
    error = error_in(GROUP, APP)

    assert error is not None
    assert list(error.lines()) == [
        "ExceptionGroup: two (2 sub-exceptions)\nValueError: first\nTypeError: second",
        '  at    a.py:3  int("x")',
        '  from  main.py:100  raise ExceptionGroup("two", errors)',
    ]


TREE = """Traceback (most recent call last):
  File "/srv/app/main.py", line 47, in <module>
    SecurityGroup(stack, "g", ingress="x")
RuntimeError: Passed to parameter config of new @cdktf/provider-aws.securityGroup.SecurityGroup: Unable to deserialize value as @cdktf/provider-aws.securityGroup.SecurityGroupConfig | undefined
├── 🛑 Failing value is an object
│      { '$jsii.struct': [Object] }
╰── 🔍 Failure reason(s):
    ╰─ Key 'ingress': Unable to deserialize value as cdktf.IResolvable | array<@cdktf/provider-aws.securityGroup.SecurityGroupIngress> | undefined
        ├── 🛑 Failing value is a string
        │      'x'
        ╰── 🔍 Failure reason(s):
"""  # noqa: E501


def test_jsii_s_tree_of_a_value_that_is_wrong_is_one_line() -> None:
    error = error_in(TREE, APP)

    assert error is not None
    assert error.text == (
        "ingress of SecurityGroup cannot be 'x', allowed: IResolvable or array<SecurityGroupIngress>"
    )


@pytest.mark.parametrize("kind", ["ConstructError", "ArgumentError"])
def test_what_a_block_refuses_is_bad_input(kind: str) -> None:
    sentence = "port of WebService \"api\" must be a whole number (int), got '8080' (str)"
    error = error_in(
        JSII.rpartition("RuntimeError")[0] + f"holdfast_constructs.errors.{kind}: {sentence}", APP
    )

    assert error is not None
    assert error.is_refused
    assert error.text == sentence


BY_MESSAGE = (
    "stacks a and b use each other's attributes, directly or through other stacks: one of the two must not"
    " refer to the other"
)
NODE = """/srv/app/node_modules/cdktf/lib/errors.js:143
const stackHasCircularDependency = (thisStack, dependency) => new Error(`Cannot …
                                                              ^

Error: Resolution error: Cannot add dependency a to b, because it would cause a circular dependency.

TerraformStack a is already dependent on b directly, or dependent on a TerraformStack within b.
.
Object creation stack:
  at new Reference (/srv/app/node_modules/cdktf/lib/tfExpression.js:128:9)
  at file:///srv/app/lib/topics.ts:5:13
  at ModuleJob.run (node:internal/modules/esm/module_job:439:25)
    at TerraformStack.addDependency (/srv/app/node_modules/cdktf/lib/terraform-stack.js:312:59)
    at Object.<anonymous> (/srv/app/main.ts:9:59)
    at node:internal/main/run_main_module:36:49

Node.js v24.19.0
"""


def test_a_cycle_of_an_app_in_typescript_names_its_lines() -> None:
    error = error_in(NODE, APP)

    assert error is not None
    assert list(error.lines()) == [
        BY_MESSAGE,
        "  at    main.ts:9",
        "  what a gives is made at  lib/topics.ts:5",
    ]
    assert error.next_step is not None


def test_an_error_of_node_has_its_text_and_the_app_s_own_frames() -> None:
    thrown = NODE.replace("Resolution error: Cannot add dependency a to b, because it would", "日本 would")
    error = error_in(thrown, APP)

    assert error is not None
    assert list(error.lines()) == ["Error: 日本 would cause a circular dependency.", "  at    main.ts:9"]
    assert (
        error_in(
            thrown.replace("/srv/app/lib/", "/x/node_modules/").replace("/srv/app/main", "/y/node_modules/z"),
            APP,
        )
        is None
    )


def test_a_long_line_of_code_is_cut() -> None:
    error = error_in(JSII.replace('SnsTopic(a, "t")', f"SnsTopic({'a' * 300})"), APP)

    assert error is not None
    assert error.rows[0] == f"  at    stacks/a.py:7  SnsTopic({'a' * 71}…"


def test_a_long_stack_is_cut_and_says_so() -> None:
    frames = "".join(f'  File "/srv/app/a.py", line {number}, in f\n    f()\n' for number in range(30))
    error = error_in(f"Traceback (most recent call last):\n{frames}ValueError: deep", APP)

    assert error is not None
    assert error.rows[-1] == "  and 22 more"
    assert len(error.rows) == 9


@pytest.mark.parametrize("length", [10, 5000])
def test_a_very_long_message_is_cut(length: int) -> None:
    text = f'Traceback (most recent call last):\n  File "/srv/app/a.py", line 1\n    x\nE: {"y" * length}'

    error = error_in(text, APP)

    assert error is not None
    assert len(error.text) <= 600


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for each in (text, f"Traceback (most recent call last):\n{text}", JSII + text, NODE + text, GROUP + text):
        assert isinstance(error_in(each, APP), AppError | None)
