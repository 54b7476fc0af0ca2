from pathlib import Path

import pytest
from jsii.errors import JavaScriptError, JSIIError

from holdfast_bindings import kernel, refusal

AWS = "@cdktf/provider-aws"
IN_CONSTRUCTS = "\n    at Node.addChild (/tmp/a/node_modules/constructs/lib/construct.js:403:19)"
IN_AWS = f"\n    at new Vpc (/tmp/a/node_modules/{AWS}/lib/vpc/index.js:9:1)"
IN_A_LATER_COPY = (
    "Error: x\n    at Object.<anonymous> (/tmp/a/node_modules/@holdfast/late-0-1/lib/index.js:3:7)"
)


def _thrown(what: str, frames: str) -> RuntimeError:
    """As jsii raises it: the kind of the error is told by the stack only."""
    error = RuntimeError(what.partition(": ")[2])
    error.__cause__ = JavaScriptError(what + frames)  # type: ignore[no-untyped-call]
    return error


@pytest.mark.parametrize(
    "what",
    [
        "Error: There is already a Construct with name 'vpc'",
        "@jsii/kernel.RuntimeError: Error: Validation failed with the following errors:\n  [a] no provider",
    ],
)
def test_what_cdktf_throws_on_purpose_is_the_app_s(what: str) -> None:
    below = f"{IN_CONSTRUCTS}\n    at new Vpc (/tmp/a/node_modules/{AWS}/lib/vpc/index.js:9:1)"

    assert not refusal.is_one(_thrown(what, below), [AWS])


@pytest.mark.parametrize("handler", ["callbackHandler", "completeCallback"])
def test_what_python_raises_where_javascript_calls_it_is_the_app_s(handler: str) -> None:
    frames = f"\n    at KernelHost.{handler} (/tmp/a/lib/program.js:1:233156)"

    assert not refusal.is_one(_thrown("@jsii/kernel.RuntimeError: 'region'", frames), [AWS])


@pytest.mark.parametrize(
    "error",
    [
        JSIIError("Unknown type"),
        BrokenPipeError("Node is gone"),
        RuntimeError("raised in Python"),
        _thrown("TypeError: Cannot read properties of undefined (reading 'metadata')", IN_CONSTRUCTS),
        _thrown("Error: Cannot find module './alb'", IN_CONSTRUCTS),
        _thrown("Error: broken copy", IN_AWS),
        _thrown("Error: broken copy", IN_A_LATER_COPY),
    ],
    ids=[
        "of jsii",
        "of the pipe",
        "of Python",
        "TypeError",
        "no module",
        "in the bindings",
        "in a later copy",
    ],
)
def test_what_a_copy_may_have_caused_is_a_refusal(error: Exception) -> None:
    assert refusal.is_one(error, [AWS])


def test_only_refusals_are_reported(tmp_path: Path) -> None:
    reported: list[str] = []
    watch = kernel.Watch(None, reported.append)

    watch.failed(_thrown("Error: two of that name", IN_CONSTRUCTS))
    watch.failed(JSIIError("Unknown type"))

    assert reported == ["refused Unknown type"]
