"""No settings file may hold a secret, and no message repeats one."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.edited_settings import FILE, PROD, edited, only, problems
from tests.support.example_settings import parse_environment

from holdfast_constructs import Plain

# Made up, and put together here so that no scanner takes this file for a leak.
SECRETS = {
    "an AWS access key id": "AKIA" + "ABCDEFGHIJKLMNOP",
    "an AWS secret access key": "wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYEXAMPLEKEY",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "a Slack token": "xoxb-" + "123456789012-abcdef",
    "a Stripe key": "sk_live_" + "a1B2c3D4e5F6g7H8",
    "a Google API key": "AIza" + "a" * 35,
    "an npm token": "npm_" + "a1B2" * 9,
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.c2ln",
    "a URL with a password": "postgres://app:" + "hunter22@db.internal:5432/orders",
    "a connection string with a password": "Server=db;User Id=app;Password=" + "hunter22;",
}


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items(), ids=SECRETS)
def test_refuses_a_secret_of_a_known_kind_wherever_it_stands(kind: str, secret: str) -> None:
    in_a_tag = only(('CostCenter = "shop"', f'CostCenter = "{secret}"'))
    in_a_domain = only(('domain = "example.com"', f'domain = "{secret}"'))
    in_a_list = only(('["team-platform"', f'["{secret}"'))

    assert [problem.key for problem in (in_a_tag, in_a_domain, in_a_list)] == [
        "tags.CostCenter",
        "domain",
        "owners[0]",
    ]
    for problem in (in_a_tag, in_a_domain, in_a_list):
        assert kind in problem.what
        assert secret not in str(problem)
        assert "Secrets Manager" in problem.allowed


def test_refuses_a_secret_in_a_comment() -> None:
    secret = SECRETS["an AWS access key id"]

    problem = only(("[tags]", f"# the old one was {secret}\n[tags]"))

    line = PROD[: PROD.index("[tags]")].count("\n") + 1
    assert problem.place.endswith(f"prod.toml:{line}")
    assert secret not in str(problem)


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "apiKey", "SESSION_SECRET", "ACCESS_TOKEN", "CONNECTION_STRING"]
)
def test_refuses_a_literal_value_under_a_name_secrets_go_by(name: str) -> None:
    problem = only(('LOG_LEVEL = "info"', f'{name} = "hunter22"'))

    assert problem.key == f"services.orders.environment.{name}"
    assert "hunter22" not in str(problem)
    assert "[services.<name>.secrets]" in problem.allowed


def test_refuses_anything_but_a_reference_below_secrets_without_repeating_it() -> None:
    arn = re.findall(r'PAYMENTS_API_KEY = "(.*)"', PROD)[0]

    problem = only((arn, "hunter22"))

    assert problem.key == "services.orders.secrets.PAYMENTS_API_KEY"
    assert "hunter22" not in str(problem)


@pytest.mark.parametrize(
    ("name", "value"), [("TOKEN_TTL", "3600"), ("AUTH_URL", "https://login.example.com/")]
)
def test_what_is_only_about_a_secret_is_allowed(name: str, value: str) -> None:
    prod = parse_environment(edited(("LOG_LEVEL", name), ('"info"', f'"{value}"')), FILE)

    assert prod.web_services()["orders"].environment[name] == value


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=12))
def test_a_secret_by_its_name_is_never_repeated(value: str) -> None:
    def told_of(secret: str) -> str:
        document = f"[services.orders.environment]\nDB_PASSWORD = {quoted(secret)}\n"
        return "\n".join(str(problem) for problem in problems(document))

    # A value may be a word that the message has anyway, such as "environments".
    assume(value not in told_of("some other one"))

    told = told_of(value)

    assert "DB_PASSWORD" in told
    assert value not in told


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_a_name_where_an_arn_belongs_is_no_secret_for_sure() -> None:
    problem = only(
        ("arn:aws:secretsmanager:eu-west-1:210987654321:secret:orders/payments-api-key-a1b2c3", "stripe/key")
    )

    assert problem.what.endswith("is not an ARN")
    assert "stripe" not in f"{problem.got} {problem.next_step}"
    assert problem.next_step.startswith("put the ARN here")


PLAIN = '{ plain = "hunter22", because = "the password of the demo, which everybody knows" }'


def test_a_text_that_is_no_secret_has_its_reason_beside_it() -> None:
    prod = parse_environment(edited(('LOG_LEVEL = "info"', f"DEMO_PASSWORD = {PLAIN}")), FILE)

    value = prod.web_services()["orders"].environment["DEMO_PASSWORD"]
    assert value == "hunter22"
    assert isinstance(value, Plain)


@pytest.mark.parametrize(
    ("table", "next_step"),
    [
        ('{ plain = "hunter22", because = "" }', "because must be a reason"),
        ('{ plain = "hunter22" }', "correct it in environments/prod.toml"),
        ('{ plain = 4096, because = "it is a number" }', "correct it in environments/prod.toml"),
    ],
)
def test_a_reason_is_asked_for(table: str, next_step: str) -> None:
    problem = only(('LOG_LEVEL = "info"', f"DEMO_PASSWORD = {table}"))

    assert problem.what == "is not a text with its reason"
    assert problem.next_step.startswith(next_step)
    assert "hunter22" not in str(problem)


def test_no_reason_in_the_settings_makes_a_key_plain() -> None:
    secret = SECRETS["a GitHub token"]

    problem = only(('LOG_LEVEL = "info"', f'X = {{ plain = "{secret}", because = "I know" }}'))

    assert problem.what == "is a GitHub token in plain text"
    assert secret not in str(problem)


def test_a_secret_by_its_name_gets_the_way_to_say_otherwise() -> None:
    problem = only(('LOG_LEVEL = "info"', 'DEMO_PASSWORD = "hunter22"'))

    assert 'a text that is no secret is { plain = "…", because = "…" }' in problem.next_step


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_TOKENS", "4096"), ("ALLOW_EMPTY_PASSWORD", "no"), ("SECRETS_BACKEND", "aws")]
)
def test_what_only_sounds_like_a_secret_is_taken(name: str, value: str) -> None:
    assert problems(edited(('LOG_LEVEL = "info"', f'{name} = "{value}"'))) == ()
