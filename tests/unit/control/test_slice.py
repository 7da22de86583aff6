"""What dbt may see of the control store: states and waits, never a token or a name."""

from datetime import timedelta

import pytest
from consents import Connect

from execution.control.models import Budget
from execution.control.slice import control_slice
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.clock import ManualClock

HOUR = timedelta(hours=1)


def test_a_connection_carries_the_longest_wait_its_platform_asked_for(
    store: ControlStore, vault: Vault, connect_account: Connect, clock: ManualClock
) -> None:
    ana, ben = (
        connect_account(handle=name, email=f"{name}@example.com") for name in ("ana", "ben")
    )
    page = connect_account("linkedin")
    waits = {
        ("app:twitter", "lookup"): clock.now() + HOUR,
        (f"connection:{ana.id}", "timeline"): clock.now() + 2 * HOUR,
        (f"connection:{ana.id}", "lookup"): None,
        (f"member:{page.user_id}", "statistics"): clock.now() - HOUR,
    }
    with store.begin() as session:
        for (scope, family), until in waits.items():
            session.add(Budget(scope=scope, family=family, taken=[], cooldown_until=until))
        rows = control_slice(session, vault)["control_connections"].to_pylist()
    told = {row["connection_id"]: row["cooldown_until"] for row in rows}
    assert told == {
        str(ana.id): clock.now() + 2 * HOUR,
        str(ben.id): clock.now() + HOUR,
        str(page.id): clock.now() - HOUR,
    }


@pytest.mark.parametrize("secret", ["access", "ana@example.com"])
def test_no_token_and_no_address_is_in_the_slice(
    store: ControlStore, vault: Vault, connect_account: Connect, secret: str
) -> None:
    connect_account()
    with store.begin() as session:
        tables = control_slice(session, vault)
    assert tables["control_connections"].num_rows == 1
    assert secret not in str([table.to_pylist() for table in tables.values()])
