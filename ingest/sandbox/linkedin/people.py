"""Who is asking: the caller, and the pages the caller administers."""

from ingest.sandbox.engine import Call, Reply
from ingest.sandbox.linkedin.errors import error
from ingest.sandbox.linkedin.request import Query, page_of, paging
from ingest.sandbox.world import Account


def organization_acls(call: Call) -> Reply:
    """GET /rest/organizationAcls?q=roleAssignee: the pages the caller administers."""
    query = Query.of(call, "q", "role", "state", "start", "count")
    query.finder("roleAssignee")
    role = query.choice(
        "role", "ADMINISTRATOR", "ADMINISTRATOR", "ANALYST", "CONTENT_ADMINISTRATOR"
    )
    state = query.choice("state", "APPROVED", "APPROVED", "REQUESTED", "REJECTED", "REVOKED")
    start, count = paging(query)
    world, user = call.sandbox.world, call.grant.user if call.grant else ""
    pages = [
        account
        for account in world.accounts
        if account.kind == "page" and user in account.spec.users
    ]
    if (role, state) != ("ADMINISTRATOR", "APPROVED"):
        pages = []
    elements = [
        {
            "roleAssignee": f"urn:li:person:{world.person_id(user)}",
            "role": role,
            "state": state,
            "organization": account.urn,
        }
        for account in pages[start : start + count]
    ]
    return Reply(page_of(elements, start, count, len(pages)))


def organization(call: Call) -> Reply:
    """GET /rest/organizations/{id}: a page's names."""
    Query.of(call)
    account = call.sandbox.world.account("page", call.path["organization_id"])
    if account is None:
        return error(404, "Could not find entity", service_code=0)
    return Reply(
        {
            "id": int(account.id),
            "$URN": account.urn,
            "vanityName": account.spec.handle,
            "localizedName": account.name,
            "primaryOrganizationType": "NONE",
        }
    )


def _own_name(call: Call) -> tuple[str, str, Account | None]:
    """(person id, name, member account) of the caller."""
    world, user = call.sandbox.world, call.grant.user if call.grant else ""
    account = world.account("member", world.person_id(user))
    return world.person_id(user), account.name if account else user.title(), account


def own_profile(call: Call) -> Reply:
    """GET /rest/me and /v2/me."""
    person, name, account = _own_name(call)
    first, _, last = name.partition(" ")
    return Reply(
        {
            "id": person,
            "localizedFirstName": first,
            "localizedLastName": last,
            "vanityName": account.spec.handle if account else name.lower(),
        }
    )


def userinfo(call: Call) -> Reply:
    """GET /v2/userinfo (OpenID Connect)."""
    person, name, _ = _own_name(call)
    return Reply({"sub": person, "name": name, "locale": {"country": "US", "language": "en"}})
