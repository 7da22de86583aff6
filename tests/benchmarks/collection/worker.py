"""The processes of the benchmark: a stand-in of many accounts, a run, and a baseline.

`python -m tests.benchmarks.collection.worker serve ACCOUNTS POSTS_A_DAY START`
`python -m tests.benchmarks.collection.worker collect URL NOW`   (settings from the environment)
`python -m tests.benchmarks.collection.worker baseline`
"""

import json
import resource
import shutil
import sys
import time
from datetime import datetime

import httpx
import structlog

from execution.control import access
from execution.control.accounts import prove_account
from execution.control.connections import Tokens, connect
from execution.control.settings import Settings
from execution.control.store import open_store
from execution.control.vault import open_vault
from ingest.clock import ManualClock
from ingest.platforms.base import Profile


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(accounts: int, posts_a_day: float, start: datetime) -> None:
    from ingest.sandbox.server import SandboxServer
    from ingest.sandbox.world import PLAIN, AccountSpec, World

    specs = [
        AccountSpec(
            "profile" if number % 2 else "page",
            f"account-{number:03}",
            (f"user-{number // 2:03}",),
            posts_per_day=posts_a_day,
            habits=PLAIN,
        )
        for number in range(accounts)
    ]
    world = World(specs, start, days_before=31, days_after=0)
    world.warm()
    with SandboxServer(world) as server:
        say(url=server.url)
        sys.stdin.read()


def collect(url: str, now: datetime) -> None:
    """Connect everything, then one run; says seconds, rows and memory of its parts."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    settings = Settings(_env_file=None)
    store, clock = open_store(settings), ManualClock(now)
    vault = open_vault(settings.vault_key_file, settings.data_dir)
    with store.begin() as session:
        for item in httpx.get(f"{url}/_sandbox/accounts", timeout=60).json()["accounts"]:
            email = f"{item['user']}@example.com"
            user = access.find_user(session, email) or access.create_user(
                session, email, "UTC", now
            )
            id_ = item["urn"] or item["platform_account_id"]
            profile = Profile(id_, item["kind"], item["handle"], item["handle"], None)
            account, _ = prove_account(session, user, item["platform"], profile, now)
            connect(
                session,
                vault,
                user=user,
                account=account,
                tokens=Tokens(item["access_token"], item["refresh_token"]),
                scopes=item["scopes"],
                expires_at=None,
                now=now,
            )
    httpx.delete(f"{url}/_sandbox/requests")
    started = time.perf_counter()
    from execution.analytics.sync_metrics import Collector

    with Collector(settings, store, vault, clock) as collector:
        imported = time.perf_counter()
        report = collector.collect()
        collected, cpu = time.perf_counter(), time.process_time()
        collect_mb = peak_mb()
        # for the baseline, which lands the same rows
        shutil.copytree(settings.data_dir / "spool", settings.data_dir / "copy")
        copied = time.perf_counter()
        collector.land()
    landed = time.perf_counter()
    say(
        import_seconds=imported - started,
        collect_seconds=collected - imported,
        land_seconds=landed - copied,
        cpu_seconds=cpu,
        snapshots=report.snapshots,
        posts=report.posts,
        failures=report.failures[:3],
        requests=httpx.get(f"{url}/_sandbox/requests").json()["total"],
        collect_mb=collect_mb,
        peak_mb=peak_mb(),
    )


def baseline() -> None:
    """Land the same rows from Arrow: one table each, by dlt's merge, nothing validated or kept."""
    import os

    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
        "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID": "true",
    }
    import dlt
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ingest.platforms import PLATFORMS

    folder = Settings(_env_file=None).data_dir
    models = [m for p in PLATFORMS.values() for m in (p.post_row, p.snapshot_row, p.account_row)]
    tables = {
        model.table: pa.concat_tables(
            pq.read_table(path) for path in (folder / "copy").glob(f"{model.table}--*.parquet")
        )
        for model in models
    }
    started = time.perf_counter()
    pipeline = dlt.pipeline(
        "baseline",
        pipelines_dir=str(folder / "baseline"),
        destination=dlt.destinations.duckdb(str(folder / "baseline.duckdb")),
        dataset_name="raw",
    )
    merge = {"disposition": "merge", "strategy": "delete-insert"}
    resources = [
        dlt.resource(
            tables[model.table],
            name=model.table,
            primary_key=list(model.key),
            write_disposition=merge,
        )
        for model in models
    ]
    pipeline.run(resources, loader_file_format="parquet")
    say(
        seconds=time.perf_counter() - started,
        rows=sum(table.num_rows for table in tables.values()),
        peak_mb=peak_mb(),
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", accounts, rate, start]:
            serve(int(accounts), float(rate), datetime.fromisoformat(start))
        case ["collect", url, now]:
            collect(url, datetime.fromisoformat(now))
        case ["baseline"]:
            baseline()
