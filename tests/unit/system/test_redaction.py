import json

import pytest

from holdfast_orchestrator.system.redaction import SENSITIVE, Redactor, marked, masked


def test_a_learned_value_is_replaced_wherever_it_turns_up() -> None:
    redactor = Redactor()
    redactor.learn({"password": "correct horse", "nested": ["battery staple"]})

    text = redactor.text("login failed for correct horse, then battery staple")

    assert text == f"login failed for {SENSITIVE}, then {SENSITIVE}"


def test_the_longer_of_two_secrets_goes_first() -> None:
    redactor = Redactor()
    redactor.learn(["secret", "secret-and-more"])

    assert redactor.text("secret-and-more") == SENSITIVE


def test_a_secret_is_found_inside_json_text_too() -> None:
    redactor = Redactor()
    redactor.learn('quo"ted\nsecret')

    assert "secret" not in redactor.text(json.dumps({"a": 'quo"ted\nsecret'}))


def test_an_ordinary_word_is_no_secret_unless_the_user_names_it() -> None:
    """A password "description" would blot the word out of every error of Terraform."""
    error = 'An argument named "description" is not expected here; Unsupported argument; production'
    learned = Redactor()
    learned.learn({"password": "description", "secret_string": "Production", "token": "argument\n"})
    named = Redactor({"HOLDFAST_REDACT": "description"})

    assert learned.text(error) == error
    assert named.text(error) == error.replace("description", "(sensitive)")
    assert masked({"password": "description"}, {"password": True}) == {"password": "(sensitive)"}


def test_a_short_secret_does_not_blot_out_the_text_around_it() -> None:
    redactor = Redactor()
    redactor.learn("80")

    assert redactor.text("port 8080") == "port 8080"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("AWS_SECRET_ACCESS_KEY=abcd1234efgh", "abcd1234efgh"),
        ('"password": "hunter2-hunter2"', "hunter2-hunter2"),
        ("postgres://app:s3cr3t@db.internal/orders", "s3cr3t"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("token ghp_0123456789abcdefghijklmnopqrstuvwxyz", "ghp_0123456789abcdefghijklmnopqrstuvwxyz"),
        ("?X-Amz-Signature=0a1b2c3d4e5f&x=1", "0a1b2c3d4e5f"),
    ],
)
def test_what_looks_like_a_credential_is_replaced(text: str, secret: str) -> None:
    redacted = Redactor().text(text)

    assert secret not in redacted
    assert SENSITIVE in redacted


@pytest.mark.parametrize(
    "text",
    [
        "aws_db_instance.orders_password_rotation will be created",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders",
        "https://example.com/path?x=1",
        "aws_secretsmanager_secret.api_key (12 s)",
    ],
)
def test_what_is_no_credential_is_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


def test_credentials_of_the_environment_are_secrets() -> None:
    redactor = Redactor({"AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENG", "HOME": "/home/somebody-long"})

    assert (
        redactor.text("wJalrXUtnFEMIK7MDENG in /home/somebody-long") == f"{SENSITIVE} in /home/somebody-long"
    )


def test_an_emulators_dummy_credentials_are_words_like_any_other() -> None:
    redactor = Redactor({"AWS_SECRET_ACCESS_KEY": "testing"})

    assert redactor.text("testing the stack") == "testing the stack"


def test_every_string_of_a_document_is_redacted_and_nothing_else() -> None:
    redactor = Redactor()
    redactor.learn("very-secret")

    value = redactor.value({"a": ["very-secret", 3, None, True], "very-secret": "x"})

    assert value == {"a": [SENSITIVE, 3, None, True], SENSITIVE: "x"}


def test_marks_of_terraform_mask_by_place() -> None:
    value = {"name": "db", "password": "p", "tags": {"a": 1, "b": 2}, "list": [1, 2, 3]}
    marks = {"password": True, "tags": {"b": True}, "list": [False, True]}

    assert masked(value, marks) == {
        "name": "db",
        "password": SENSITIVE,
        "tags": {"a": 1, "b": SENSITIVE},
        "list": [1, SENSITIVE, 3],
    }
    assert list(marked(value, marks)) == ["p", 2, 2]
