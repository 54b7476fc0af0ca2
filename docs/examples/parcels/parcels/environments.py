"""Where the platform is deployed, and what differs between the environments."""

from dataclasses import dataclass

from holdfast_constructs import Image, StateBucket, Target

# What was built and tested; a CI writes these lines.
DIGESTS = {
    "storefront": "sha256:3f8127250d273c1a6d3fd5809c871cea8c661d079d61c0cec7ddf9ef9e26f712",
    "api": "sha256:ece35c3044773464025064d1d6663bba256ec0886059ea2f20672da64e8bbd61",
    "tracking": "sha256:59c8aef0da1b3ebf1d3d6d8bd4d5b1ae1b7a3d2b5c1f2f6a4cbb7ac2e2a1e0d5",
    "labels": "sha256:7d6b1c39bd7a53a5f3b0a6a5f1f0c3b64d8f5a6f7b6e7c1d4a9d2b8c3e0f1a27",
}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One target with its domain and sizes. The profile of the target chooses everything else."""

    target: Target
    domain: str
    database: str
    cache: str
    zone_id: str | None = None

    def image(self, name: str) -> Image:
        """Return the image `name` in the registry of the account."""
        registry = f"{self.target.account}.dkr.ecr.{self.target.region}.amazonaws.com"
        return Image.of(f"{registry}/parcels/{name}", digest=DIGESTS[name])


LOCAL = Environment(
    target=Target(
        project="parcels",
        environment="local",
        profile="local",
        local=True,
        account="123456789012",
        region="eu-west-1",
        zones=("eu-west-1a", "eu-west-1b"),
        state=StateBucket(bucket="holdfast-state-local", region="eu-west-1"),
    ),
    domain="parcels.test",
    database="db.t4g.micro",
    cache="cache.t4g.micro",
)

PROD = Environment(
    target=Target(
        project="parcels",
        environment="prod",
        profile="prod",
        account="333344445555",
        region="eu-central-1",
        zones=("eu-central-1a", "eu-central-1b", "eu-central-1c"),
        state=StateBucket(bucket="parcels-state", region="eu-central-1"),
        owners=("team-parcels",),
        tags={"CostCenter": "parcels"},
    ),
    domain="parcels.example",
    zone_id="Z0PARCELSEXAMPLE",
    database="db.r6g.large",
    cache="cache.r7g.large",
)
