"""The versioned LinkedIn REST API of the stand-in (platform-apis.md section 2).

Unconfirmed, because no public recording shows it: non-zero per-post share statistics (from
Microsoft's pages), BATCH_GET's answer when some ids fail, "little text" escapes, what a deleted
post's statistics say (here: omitted), and the bodies of 400s beyond the code names seen in other
clients' notes. Times are epoch milliseconds. No rate-limit header and no Retry-After, ever.
"""

from collections.abc import Callable

from ingest.sandbox.engine import Call, Endpoint, Reply
from ingest.sandbox.linkedin.gate import Gate
from ingest.sandbox.linkedin.members import member_analytics, member_followers
from ingest.sandbox.linkedin.pages import follower_statistics, network_size, share_statistics
from ingest.sandbox.linkedin.people import organization, organization_acls, own_profile, userinfo
from ingest.sandbox.linkedin.posts import (
    post_by_urn,
    posts,
    social_actions,
    social_metadata,
    social_metadata_of,
)

__all__ = ["ENDPOINTS", "Gate"]


def _get(rule: str, name: str, handle: Callable[[Call], Reply]) -> Endpoint:
    return Endpoint("linkedin", rule, f"GET {name}", handle, "user", methods=("GET", "POST"))


ENDPOINTS: tuple[Endpoint, ...] = (
    _get("/rest/posts", "/rest/posts", posts),
    _get("/rest/posts/<urn>", "/rest/posts/{urn}", post_by_urn),
    _get(
        "/rest/organizationalEntityShareStatistics",
        "/rest/organizationalEntityShareStatistics",
        share_statistics,
    ),
    _get(
        "/rest/organizationalEntityFollowerStatistics",
        "/rest/organizationalEntityFollowerStatistics",
        follower_statistics,
    ),
    _get("/rest/networkSizes/<urn>", "/rest/networkSizes/{urn}", network_size),
    _get("/rest/socialMetadata", "/rest/socialMetadata", social_metadata),
    _get("/rest/socialMetadata/<urn>", "/rest/socialMetadata/{urn}", social_metadata_of),
    _get("/rest/socialActions/<urn>", "/rest/socialActions/{urn}", social_actions),
    _get("/rest/memberCreatorPostAnalytics", "/rest/memberCreatorPostAnalytics", member_analytics),
    _get("/rest/memberFollowersCount", "/rest/memberFollowersCount", member_followers),
    _get("/rest/organizationAcls", "/rest/organizationAcls", organization_acls),
    _get("/rest/organizations/<organization_id>", "/rest/organizations/{id}", organization),
    _get("/rest/me", "/rest/me", own_profile),
    _get("/v2/me", "/v2/me", own_profile),
    _get("/v2/userinfo", "/v2/userinfo", userinfo),
)
