"""Posts (without any metric) and their social summaries (without impressions)."""

from collections.abc import Callable, Mapping

from ingest.sandbox.engine import Body, Call, Reply
from ingest.sandbox.linkedin.errors import denied, error
from ingest.sandbox.linkedin.request import (
    Query,
    administered,
    batch,
    existing,
    page_of,
    paging,
    urn_kind,
)
from ingest.sandbox.texts import as_little_text
from ingest.sandbox.world import METRICS, Post


def posts(call: Call) -> Reply:
    """GET /rest/posts: the finder by author, or BATCH_GET with ids=List(...)."""
    query = Query.of(call, "q", "author", "start", "count", "sortBy", "ids", "viewContext", "isDsc")
    if "ids" in query.values:
        return _posts_batch(call, query)
    query.finder("author")
    author = query.urn("author", "organization", "person")
    if urn_kind(author) == "person":
        # r_member_social is closed to new apps: nobody can list a member's posts.
        return denied("partnerApiPostsExternal.FINDER-author." + query.api_version)
    account = administered(
        call,
        author,
        "r_organization_social",
        "partnerApiPostsExternal.FINDER-author." + query.api_version,
    )
    start, count = paging(query)
    query.choice("sortBy", "LAST_MODIFIED", "LAST_MODIFIED", "CREATED")
    elements = []
    for index, post in enumerate(account.newest_first(call.now)):
        if index >= start + count:
            break
        if index >= start:
            elements.append(post_body(post))
    call.served = len(elements)
    return Reply(page_of(elements, start, count))


def _posts_batch(call: Call, query: Query) -> Reply:
    resource = "partnerApiPostsExternal.BATCH_GET." + query.api_version
    if call.sandbox.behaviour.development_tier:
        return denied(resource)
    return Reply(batch(call, query.urns("ids", "share", "ugcPost"), resource, post_body))


def post_by_urn(call: Call) -> Reply:
    """GET /rest/posts/{urn}"""
    query = Query.of(call, "viewContext")
    call.served = 1
    return Reply(post_body(existing(call, "partnerApiPostsExternal.GET." + query.api_version)))


def post_body(post: Post) -> Body:
    """A post, without any metric: the posts API has none."""
    at = round(post.published * 1000)
    body: Body = {
        "id": post.urn,
        "author": post.account.urn,
        "commentary": as_little_text(post.text),
        "visibility": "PUBLIC",
        "lifecycleState": "PUBLISHED",
        "lifecycleStateInfo": {"isEditedByAuthor": False},
        "createdAt": at,
        "publishedAt": at,
        "lastModifiedAt": at,
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "thirdPartyDistributionChannels": [],
            "targetEntities": [],
        },
        "isReshareDisabledByAuthor": False,
    }
    content = _CONTENT.get(post.type)
    if content is not None:
        body["content"] = content(post)
    return body


def _media(kind: str) -> Callable[[Post], Body]:
    def write(post: Post) -> Body:
        return {"media": {"id": f"urn:li:{kind}:{post.activity_id}", "altText": "", "title": ""}}

    return write


def _article(post: Post) -> Body:
    return {
        "article": {
            "source": f"https://example.org/{post.id}",
            "title": post.text.partition("\n")[0],
            "description": "",
        }
    }


_CONTENT: Mapping[str, Callable[[Post], Body]] = {
    "image": _media("image"),
    "video": _media("video"),
    "document": _media("document"),
    "article": _article,
}


def social_metadata(call: Call) -> Reply:
    """GET /rest/socialMetadata?ids=List(...): BATCH_GET of reactions and comments."""
    query = Query.of(call, "ids")
    resource = "socialMetadata.BATCH_GET." + query.api_version
    if call.sandbox.behaviour.development_tier:
        return denied(resource)
    urns = query.urns("ids", "share", "ugcPost")
    return Reply(batch(call, urns, resource, lambda post: _metadata(post, call.now)))


def social_metadata_of(call: Call) -> Reply:
    """GET /rest/socialMetadata/{urn}"""
    query = Query.of(call)
    return Reply(_metadata(existing(call, "socialMetadata.GET." + query.api_version), call.now))


def _metadata(post: Post, now: float) -> Body:
    likes, comments = _likes_and_comments(post, now)
    summaries: Body = {}
    for kind, share in (("PRAISE", 7), ("EMPATHY", 11), ("INTEREST", 17)):
        if count := likes // share:
            summaries[kind] = {"reactionType": kind, "count": count}
            likes -= count
    if likes > 0:
        summaries["LIKE"] = {"reactionType": "LIKE", "count": likes}
    return {
        "entity": post.urn,
        "commentsState": "OPEN",
        "commentSummary": {"count": comments, "topLevelCount": comments - comments // 3},
        "reactionSummaries": summaries,
    }


def _likes_and_comments(post: Post, now: float) -> tuple[int, int]:
    counts = dict(zip(METRICS[post.account.kind], post.counts(now), strict=True))
    if post.account.kind == "page":
        return counts["likeCount"], counts["commentCount"]
    return counts["REACTION"], counts["COMMENT"]


def social_actions(call: Call) -> Reply:
    """GET /rest/socialActions/{urn}: likes and comments; a post without any is a 404."""
    query = Query.of(call)
    post = existing(call, "socialActions.GET." + query.api_version)
    likes, comments = _likes_and_comments(post, call.now)
    if not likes and not comments:
        return error(404, f"Resource {post.urn} does not exist", service_code=0)
    return Reply(
        {
            "likesSummary": {
                "totalLikes": likes,
                "aggregatedTotalLikes": likes,
                "likedByCurrentUser": False,
                "selectedLikes": [],
            },
            "commentsSummary": {
                "totalFirstLevelComments": comments - comments // 3,
                "aggregatedTotalComments": comments,
                "commentsState": "OPEN",
                "selectedComments": [],
            },
            "target": post.urn,
            "$URN": post.urn,
        }
    )
