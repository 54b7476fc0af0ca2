"""S3 lifecycle configurations as they were put.

moto 5.2.1 reads a rule into a few fields and forgets the others: `NewerNoncurrentVersions` of an
expiration, object sizes in a filter, an `And` of sizes, and the default minimum object size. Terraform
compares what it put with what it gets, for three minutes, and gives up.
AWS gives the configuration back as it was put.
So do we, word for word; moto still reads it for what it does with it.
"""

import re
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, wrap

_MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"
_DEFAULT_MINIMUM = "all_storage_classes_128K"
_AND = re.compile(rb"<And>.*?</And>", re.DOTALL)
_SIZES = re.compile(rb"<(ObjectSize(?:Greater|Less)Than)>.*?</\1>", re.DOTALL)


def close() -> None:
    """Keep the document of a lifecycle configuration, and answer with it."""
    responses = moto("s3.responses").S3Response

    @wrap(responses, "_bucket_response_put")
    def put(original: Any, self: Any, request: Any, bucket_name: str, querystring: Any) -> Any:
        if "lifecycle" not in querystring:
            return original(self, request, bucket_name, querystring)
        document = bytes(self.body)
        self.body = _digestible(document)
        answer = original(self, request, bucket_name, querystring)
        minimum = request.headers.get(_MINIMUM_SIZE, _DEFAULT_MINIMUM)
        memory(self.backend.get_bucket(bucket_name), "lifecycle").update(document=document, minimum=minimum)
        return 200, {_MINIMUM_SIZE: minimum}, answer

    @wrap(responses, "get_bucket_lifecycle")
    def get(original: Any, self: Any) -> Any:
        kept = memory(self.backend.get_bucket(self.bucket_name), "lifecycle")
        if not kept:
            return original(self)
        return 200, {_MINIMUM_SIZE: kept["minimum"], "Content-Type": "application/xml"}, kept["document"]

    @wrap(responses, "delete_bucket_lifecycle")
    def delete(original: Any, self: Any) -> Any:
        memory(self.backend.get_bucket(self.bucket_name), "lifecycle").clear()
        return original(self)


def _digestible(document: bytes) -> bytes:
    """Return the document without what moto refuses or trips over."""
    return _AND.sub(b"<Prefix></Prefix>", _SIZES.sub(b"", document))
