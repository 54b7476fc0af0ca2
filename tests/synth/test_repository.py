import json
from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role import IamRole
from tests.support.statements import granted, statements_of
from tests.synth.conftest import Site

from holdfast_constructs import HoldfastApp, Image, Key, Repository, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
URL = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop/prod/web"
DIGEST = f"sha256:{'0' * 64}"


def _repository(app: HoldfastApp, *, target: dict[str, Any] | None = None, **given: Any) -> Repository:
    stack = ServiceStack(app, "shop", sample_target(**target or {}))
    return Repository(stack, "web", **({"key": Key(stack, "key", purpose="data")} | given))


def _synthesized(synthesize: Synthesize, **given: Any) -> Template:
    return synthesize(lambda app: _repository(app, **given))["shop"]


def test_a_tag_means_one_image_for_ever_and_each_is_scanned(synthesize: Synthesize) -> None:
    _synthesized(synthesize).has_resource(
        "aws_ecr_repository",
        name="shop/prod/web",
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
    )


def test_images_are_encrypted_with_the_key_or_on_purpose_with_that_of_ecr(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize)

    [key] = shop.resources("aws_kms_key")
    assert shop.resource("aws_ecr_repository")["encryption_configuration"] == [
        {"encryption_type": "KMS", "kms_key": f"${{{key}.arn}}"}
    ]
    without = _synthesized(synthesize, key=None).resource("aws_ecr_repository")
    assert without["encryption_configuration"] == [{"encryption_type": "AES256"}]


def test_images_without_a_tag_go_and_those_with_one_stay(synthesize: Synthesize) -> None:
    [rule] = json.loads(_synthesized(synthesize).resource("aws_ecr_lifecycle_policy")["policy"])["rules"]

    assert rule["selection"] == {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    }


def test_only_the_newest_images_stay_where_that_is_asked_for(synthesize: Synthesize) -> None:
    policy = _synthesized(synthesize, keep_images=500).resource("aws_ecr_lifecycle_policy")["policy"]

    [first, last] = json.loads(policy)["rules"]
    assert first["rulePriority"] < last["rulePriority"]
    assert last["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 500}


@pytest.mark.parametrize("kept", [True, False])
def test_a_repository_is_protected_and_not_emptied_where_data_is_kept(
    synthesize: Synthesize, *, kept: bool
) -> None:
    synthesis = synthesize(
        lambda app: _repository(app, target={"delete_protection": kept, "production": kept})
    )

    synthesis["shop"].has_resource("aws_ecr_repository", force_delete=not kept)
    (shard,) = synthesis.manifest["shards"].values()
    assert len([each for each in shard["protected"] if "ecr" in each]) == int(kept)


def test_other_accounts_pull_where_that_is_asked_for(synthesize: Synthesize) -> None:
    shop = _synthesized(synthesize, pull_accounts=["111122223333"])

    policy = statements_of(shop, shop.resource("aws_ecr_repository_policy")["policy"])
    assert policy["PullFromOtherAccounts"]["principals"] == [
        {"type": "AWS", "identifiers": ["arn:aws:iam::111122223333:root"]}
    ]
    assert "ecr:PutImage" not in policy["PullFromOtherAccounts"]["actions"]
    _synthesized(synthesize).has_no_resource("aws_ecr_repository_policy")


@pytest.mark.parametrize(("verb", "pushes"), [("pull", False), ("push", True)])
def test_only_who_may_push_does(synthesize: Synthesize, verb: str, *, pushes: bool) -> None:
    def build(app: HoldfastApp) -> None:
        repository = _repository(app)
        role = IamRole(repository, "role", name="role", assume_role_policy="{}")
        getattr(repository, f"grant_{verb}")(role)

    statements = granted(synthesize(build)["shop"], f"{verb}-shop-web-repository")

    assert ("ecr:PutImage" in statements[verb.capitalize()]["actions"]) is pushes
    assert statements["LogInToRegistry"]["resources"] == ["*"]


def test_a_service_runs_an_image_of_a_repository_and_may_pull_it_alone(
    on_site: Callable[..., Synthesis],
) -> None:
    def build(site: Site) -> None:
        repository = Repository(ServiceStack(site.app, "shop", site.target), "web", key=None)
        site.service(image=Image.of(repository, digest=DIGEST))

    orders = on_site(build)["orders"]

    [task] = orders.resources("aws_ecs_task_definition").values()
    assert json.loads(task["container_definitions"])[0]["image"] == f"{URL}@{DIGEST}"
    assert granted(orders, "start")["PullImage"]["resources"] == [
        "arn:aws:ecr:eu-west-1:210987654321:repository/shop/prod/web"
    ]


def test_an_image_of_a_repository_of_somebody_else() -> None:
    theirs = Repository.import_("arn:aws:ecr:eu-west-1:111122223333:repository/a/b")

    assert Image.of(theirs, tag="1.4").reference == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b:1.4"
    assert Image.of("web", digest=DIGEST).pinned
