"""The outside world as one value, and its double that refuses."""

from datetime import UTC, timedelta
from pathlib import Path

import pytest

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.system.process import Command
from holdfast_orchestrator.system.runtime import Boto3Aws, SystemClock, cache_folder, real_runtime
from holdfast_orchestrator.testing import FrozenClock, RefusedError, captured_terminal, refusing_runtime


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"HOLDFAST_CACHE_DIR": "/x", "HOME": "/home/ada"}, "linux", "/x"),
        ({"XDG_CACHE_HOME": "/cache", "HOME": "/home/ada"}, "linux", "/cache/holdfast"),
        ({"HOME": "/home/ada"}, "linux", "/home/ada/.cache/holdfast"),
        ({"HOME": "/Users/ada"}, "darwin", "/Users/ada/Library/Caches/holdfast"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_caches(
    environ: dict[str, str], platform: str, expected: str
) -> None:
    assert cache_folder(environ, platform=platform) == Path(expected)


def test_the_clock_tells_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_real_runtime_is_this_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_CACHE_DIR", str(tmp_path / "cache"))

    runtime = real_runtime()

    assert (runtime.cwd, runtime.cache) == (tmp_path, tmp_path / "cache")


def test_colour_is_for_terminals_and_can_be_refused_or_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert not real_runtime().terminal.color

    monkeypatch.setenv("FORCE_COLOR", "1")

    assert real_runtime().terminal.color


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "half"}, "missing: aws_secret_access_key"),
        ({"AWS_PROFILE": "no-such-profile"}, "no-such-profile"),
    ],
)
def test_settings_of_aws_that_do_not_fit_together_are_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(HoldfastError, match=said) as raised:
        Boto3Aws().client("sqs", region="eu-west-1", environ=environ)

    assert "AWS_PROFILE" in str(raised.value)


def test_an_aws_client_follows_the_environment_given_and_not_the_processs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "process")
    environ = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:2",
        "AWS_ACCESS_KEY_ID": "given",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    aws = Boto3Aws()

    s3 = aws.client("s3", region="eu-west-1", environ=environ)
    sqs = aws.client("sqs", region="eu-west-1", environ=environ)

    assert s3.meta.endpoint_url == "http://127.0.0.1:1"
    assert sqs.meta.endpoint_url == "http://127.0.0.1:2"
    assert s3._request_signer._credentials.access_key == "given"
    assert s3.meta.config.s3["addressing_style"] == "path"


def test_equal_environments_share_a_client_and_others_do_not() -> None:
    aws = Boto3Aws()
    environ = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}

    first = aws.client("s3", region="eu-west-1", environ={**environ, "PATH": "/bin"})

    assert aws.client("s3", region="eu-west-1", environ=environ) is first
    assert aws.client("s3", region="eu-west-2", environ=environ) is not first
    assert aws.client("s3", region="eu-west-1", environ={**environ, "AWS_SESSION_TOKEN": "t"}) is not first


def test_every_door_of_the_test_runtime_refuses_and_names_what_was_asked(tmp_path: Path) -> None:
    runtime = refusing_runtime()
    command = Command(argv=("terraform", "apply"), cwd=tmp_path, environ={})

    with pytest.raises(RefusedError, match="run terraform apply"):
        runtime.processes.run(command)
    with pytest.raises(RefusedError, match="start terraform apply"):
        runtime.processes.start(command)
    with pytest.raises(RefusedError, match="as a daemon"):
        runtime.processes.start_detached(command, log=tmp_path)
    with pytest.raises(RefusedError, match="whether process 1 runs"):
        runtime.processes.birth(1)
    with pytest.raises(RefusedError, match="terminate process 1"):
        runtime.processes.terminate(1, grace=0)
    with pytest.raises(RefusedError, match="the time"):
        runtime.clock.now()
    with pytest.raises(RefusedError, match=r"sleep\(3\)"):
        runtime.clock.sleep(3)
    with pytest.raises(RefusedError, match="an AWS client for s3 in eu-west-1"):
        runtime.aws.client("s3", region="eu-west-1", environ={})
    with pytest.raises(RefusedError, match="write 'hello' to the terminal"):
        runtime.terminal.out.write("hello")
    with pytest.raises(KeyError, match="HOME"):
        runtime.environ["HOME"]
    with pytest.raises(OSError, match="Not a directory"):
        runtime.cache.mkdir(parents=True)


def test_a_frozen_clock_moves_only_by_sleeping() -> None:
    clock = FrozenClock()
    before = clock.now()

    clock.sleep(90)

    assert clock.now() - before == timedelta(seconds=90)
    assert clock.slept == [90]


def test_a_terminal_asks_on_the_error_stream_and_nobody_answering_is_empty() -> None:
    terminal = captured_terminal(answers="yes\n")

    answers = [terminal.ask("Sure? "), terminal.ask("Really? ")]

    assert answers == ["yes", ""]
    assert terminal.err.getvalue() == "Sure? Really? "  # type: ignore[attr-defined]
    assert terminal.out.getvalue() == ""  # type: ignore[attr-defined]
