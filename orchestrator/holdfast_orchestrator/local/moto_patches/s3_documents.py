"""S3: sub-resources of a bucket as they were put.

moto 5.2.1 reads logging and replication into too few fields, so that they are planned again and again; and
it takes a configuration of metrics, analytics, inventory or tiering for the creation of a bucket, and fails.
AWS answers with the document as it was put, and with 404 where there is none. So do we; of logging and
replication moto still checks what it knows.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, wrap

_UNKNOWN = ("intelligent-tiering", "metrics", "analytics", "inventory")
_KNOWN = ("logging", "replication")
_XML = {"Content-Type": "application/xml"}
_NONE = "<Error><Code>NoSuchConfiguration</Code><Message>There is no such configuration.</Message></Error>"

Place = tuple[str, str]


def close() -> None:
    """Keep the documents of a bucket, and answer with them."""
    responses = moto("s3.responses").S3Response
    _keep(responses)
    _answer(responses)
    _forget(responses)


def _keep(responses: Any) -> None:
    @wrap(responses, "_bucket_response_put")
    def put(original: Any, self: Any, request: Any, bucket_name: str, querystring: Any) -> Any:
        place, document = _place(querystring), bytes(self.body)
        known = place is None or place[0] in _KNOWN
        answer = original(self, request, bucket_name, querystring) if known else (200, {}, "")
        if place is not None:
            _documents(self, bucket_name)[place] = document
        return answer


def _answer(responses: Any) -> None:
    @wrap(responses, "_bucket_response_get")
    def get(original: Any, self: Any, bucket_name: str, querystring: Any) -> Any:
        place = _place(querystring)
        documents = _documents(self, bucket_name) if place else {}
        if place in documents:
            return 200, _XML, documents[place]
        if place is not None and place[0] in _UNKNOWN:
            return 404, _XML, _NONE
        return original(self, bucket_name, querystring)


def _forget(responses: Any) -> None:
    @wrap(responses, "_bucket_response_delete")
    def delete(original: Any, self: Any, bucket_name: str, querystring: Any) -> Any:
        place = _place(querystring)
        if place is not None:
            _documents(self, bucket_name).pop(place, None)
            if place[0] in _UNKNOWN:
                return 204, {}, ""
        return original(self, bucket_name, querystring)


def _place(querystring: Any) -> Place | None:
    """The sub-resource that a request is about, and its id where a bucket may have several."""
    names = (name for name in (*_UNKNOWN, *_KNOWN) if name in querystring)
    name = next(names, None)
    return None if name is None else (name, (querystring.get("id") or [""])[0])


def _documents(self: Any, bucket_name: str) -> dict[Any, Any]:
    return memory(self.backend.get_bucket(bucket_name), "documents")
