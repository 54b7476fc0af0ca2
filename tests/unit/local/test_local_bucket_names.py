from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.local.cloud import LocalCloud

if TYPE_CHECKING:
    from holdfast_orchestrator.system.runtime import Runtime


@pytest.mark.parametrize("name", ["X_", "", "ab", "a..b", "-abc", "abc-", "a" * 64, "a/b", "abc\n"])
def test_a_name_that_no_bucket_can_have_starts_nothing(tmp_path: Path, name: str) -> None:
    cloud = LocalCloud(tmp_path, cast("Runtime", None))

    with pytest.raises(UsageError, match="the name of a bucket must be"):
        cloud.up(buckets=[name])

    assert list(tmp_path.iterdir()) == []
