"""What a gap of the local cloud is tested with: a probe that asks a cloud and returns what it saw."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

Clients = Callable[[str], Any]
Probe = Callable[[Clients], object]
# What AWS shows, and the module that makes the local cloud show it.
Probes = Mapping[Probe, tuple[object, str]]


class Gaps:
    """Every probe sees in the local cloud what AWS shows, and does not see it in moto by itself."""

    probes: ClassVar[Probes]

    def test_the_local_cloud_shows_what_aws_shows(self, probe: Probe, local_clients: Clients) -> None:
        seen = probe(local_clients)

        assert seen == self.probes[probe][0]

    def test_moto_by_itself_still_does_not(self, probe: Probe, moto_clients: Clients) -> None:
        wanted, module = self.probes[probe]

        try:
            seen = probe(moto_clients)
        except (BotoCoreError, ClientError, LookupError, ResponseParserError) as gap:
            seen = gap

        assert seen != wanted, (
            f"moto has closed this gap: delete local/moto_patches/{module}.py, or what it does of this"
        )
