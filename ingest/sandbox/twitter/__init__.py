"""The X API v2 of the stand-in (platform-apis.md section 1).

Unconfirmed, because no public recording shows it: the reply's key names in the post.* dialect
(from the OpenAPI spec), what mixing dialects loses, `/2/tweets/analytics`, the exact body of a
429 window and of refused parameters, and that each version of an edited post has its own
counters. Text, users and counters are the world's.
"""

from ingest.sandbox.twitter.endpoints import ENDPOINTS
from ingest.sandbox.twitter.gate import Gate

__all__ = ["ENDPOINTS", "Gate"]
