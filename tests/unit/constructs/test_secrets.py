"""What is taken for a secret, in code and in the settings alike, and how somebody says that it is none."""

import pytest

from holdfast_constructs import Plain
from holdfast_constructs._secrets import SOMETIMES_PLAIN, is_called_secret, known_secrets, sounds_secret
from holdfast_constructs.errors import ConstructError

# Made up, and put together here so that no scanner takes this file for a leak.
ALWAYS_SECRET = {
    "an AWS access key id": "AKIA" + "ABCDEFGHIJKLMNOP",
    "a private key": "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "a Slack token": "xapp-" + "1-A0123456789-1234567890",
    "a Stripe key": "whsec_" + "a1B2c3D4e5F6g7H8a1B2c3D4",
    "an npm token": "npm_" + "a1B2" * 9,
    "a PyPI token": "pypi-" + "a1B2" * 11,
    "a SendGrid key": "apikey:SG." + "abcdefghijklmnopqrstuv." + "wxyz0123456789abcdefghijklmnopqrstu",
    "a Twilio key": "SK" + "0123456789abcdef" * 2,
    "a Shopify token": "shpat_" + "0123456789abcdef" * 2,
    "a DigitalOcean token": "dop_v1_" + "0123456789abcdef" * 4,
    "a Docker Hub token": "dckr_pat_" + "a1B2c3D4e5F6g7H8i9J0k1L2",
    "a Hugging Face token": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeF",
    "a HashiCorp token": "hvs." + "a1B2c3D4e5F6g7H8i9J0k1L2",
    "a Grafana token": "glsa_" + "a1B2" * 8 + "_0123abcd",
    "an OpenAI or Anthropic key": "sk-" + "proj-a1B2c3D4e5F6g7H8i9J0k1L2m3N4",
}
SOMETIMES = {
    "a Google API key": "AIza" + "a" * 35,
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.c2ln",
    "a URL with a password": "rediss://:" + "hunter22@cache.internal:6379",
    "a connection string with a password": "Server=db;User Id=app;Password=" + "hunter22;",
    "an AWS secret access key": "wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYEXAMPLEKEY",
}
HARMLESS = {
    "MAX_TOKENS": "4096",
    "TOKENS_PER_DAY": "100000000",
    "maxOutputTokens": "8192",
    "TOKEN_LIMIT": "none",
    "SESSION_TOKEN_GRACE": "30m",
    "ALLOW_EMPTY_PASSWORD": "no",
    "MYSQL_ALLOW_EMPTY_PASSWORD": "yes",
    "USE_CREDENTIALS": "false",
    "REQUIRE_API_KEY": "True",
    "PASSWORD_HASHERS": "argon2",
    "PASSWORD_MIN": "12",
    "PASSWORD_RESET_EXPIRES_IN": "1h",
    "SECRETS_BACKEND": "aws",
    "CSRF_TOKEN_HEADER": "x-csrf",
    "SESSION_TOKEN_COOKIE": "sid",
    "ACCESS_TOKEN_EXPIRE_MINUTES": "30",
    "TOKEN_TTL": "3600",
    "SECRET_ARN": "anything",
    "PASSWORD_FILE": "/run/secrets/db",
    "API_KEY_NAME": "main",
    "TOKENIZER": "cl100k",
    "MONKEY": "capuchin",
    "SECRETARY": "someone",
    "PATH": "/usr/bin",
    "COMPASS": "north",
    "DB_PASSWORD": "",
}
CALLED_SO = {
    "PASSWORD": "hunter2",
    "DB_PASSWORD": "12345678",
    "PGPASSWORD": "hunter2",
    "MYSQL_PWD": "hunter2",
    "dbPassword": "hunter2",
    "smtp-pass": "hunter2",
    "API_KEY": "abc",
    "STRIPE_APIKEY": "abc",
    "GITHUB_TOKEN": "abc",
    "AUTH_TOKENS": "abc,def",
    "ALLOWED_PASSWORD": "hunter2",
    "AWS_SECRET_ACCESS_KEY": "abc",
    "CLIENTSECRET": "abc",
    "CONNECTION_STRING": "abc",
    "SESSION_SECRET": "123456789012",
}


@pytest.mark.parametrize(("kind", "value"), (ALWAYS_SECRET | SOMETIMES).items(), ids=str)
def test_a_key_of_a_known_kind_is_a_secret_whatever_it_is_called(kind: str, value: str) -> None:
    assert kind in {known for known, _ in known_secrets(f"see {value} there")}


@pytest.mark.parametrize(("name", "value"), HARMLESS.items())
def test_what_is_counted_or_switched_or_only_about_a_secret_is_none(name: str, value: str) -> None:
    assert not is_called_secret(name, value)
    assert [*known_secrets(value)] == []


@pytest.mark.parametrize(("name", "value"), CALLED_SO.items())
def test_a_value_under_a_name_that_secrets_go_by_is_one(name: str, value: str) -> None:
    assert sounds_secret(name)
    assert is_called_secret(name, value)


def test_which_kinds_are_sometimes_for_everybody_is_known() -> None:
    assert SOMETIMES.keys() == SOMETIMES_PLAIN


@pytest.mark.parametrize("value", [*SOMETIMES.values(), "hunter2"])
def test_a_text_is_plain_where_somebody_says_why(value: str) -> None:
    plain = Plain(value, because="everybody knows it")

    assert (plain, plain.because) == (value, "everybody knows it")


@pytest.mark.parametrize(("kind", "value"), ALWAYS_SECRET.items())
def test_no_reason_makes_a_key_plain(kind: str, value: str) -> None:
    with pytest.raises(ConstructError, match=f"a Plain text is {kind}") as refused:
        Plain(value, because="I know what I am doing")

    assert value not in str(refused.value)


@pytest.mark.parametrize("because", ["", "   ", "because"[:4]])
def test_a_plain_text_needs_a_reason(because: str) -> None:
    with pytest.raises(ConstructError, match="because must be a reason"):
        Plain("hunter2", because=because)
