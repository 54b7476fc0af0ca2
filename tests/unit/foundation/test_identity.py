"""Which jobs may take a role: exact subjects."""

import pytest
from pydantic import ValidationError

from holdfast_constructs.foundation.identity import github_identity, gitlab_identity
from holdfast_constructs.settings.foundation import Github, Gitlab


def test_a_repository_without_ids_has_subjects_by_its_name() -> None:
    identity = github_identity(Github(repository="acme/shop"), "prod")

    assert identity.apply == ("repo:acme/shop:environment:prod",)
    assert identity.plan == ("repo:acme/shop:pull_request", "repo:acme/shop:ref:refs/heads/main")
    assert identity.audience == "sts.amazonaws.com"


def test_a_repository_with_ids_has_both_forms() -> None:
    settings = Github(
        repository="acme/shop", owner_id=65, repository_id=1001, environment="live", branch="trunk"
    )

    identity = github_identity(settings, "prod")

    assert identity.apply == (
        "repo:acme/shop:environment:live",
        "repo:acme@65/shop@1001:environment:live",
    )
    assert "repo:acme@65/shop@1001:ref:refs/heads/trunk" in identity.plan


def test_a_project_on_gitlab_applies_from_its_protected_branch() -> None:
    identity = gitlab_identity(Gitlab(project="acme/platform/shop"))

    assert identity.apply == ("project_path:acme/platform/shop:ref_type:branch:ref:main",)
    assert identity.plan_like == ("project_path:acme/platform/shop:ref_type:branch:ref:*",)
    assert (identity.host, identity.audience) == ("gitlab.com", "https://gitlab.com")


@pytest.mark.parametrize(
    "settings",
    [
        {"repository": "acme/*"},
        {"repository": "acme"},
        {"repository": "acme/shop:environment"},
        {"repository": "acme/shop", "environment": "*"},
        {"repository": "acme/shop", "branch": "release/?"},
        {"repository": "acme/shop", "owner_id": 65},
    ],
)
def test_a_subject_that_is_not_exact_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Github.model_validate(settings)
