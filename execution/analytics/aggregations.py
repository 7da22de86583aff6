"""Calculate aggregates and scores (directive 7): run dbt, and score one set of counters.

`python execution/analytics/aggregations.py --help` works on its own.
"""

import csv
import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ingest.errors import NexusError
from ingest.warehouse import WAREHOUSE, working_copy

PROJECT = Path(__file__).resolve().parents[2]
_WEIGHTS = PROJECT / "dbt_project" / "seeds" / "engagement_weights.csv"

#: Bytes of a warehouse from which two large models built at once share too little memory and spill.
_LARGE = 500_000_000

#: Environment variable: the path of dbt's warehouse follows, as a line on stdin.
PATH_FOLLOWS = "NEXUS_WAREHOUSE_FOLLOWS"

#: Called with (nodes done, nodes in all, name of the node that finished).
OnProgress = Callable[[int, int, str], None]
#: Called with each data test that failed or warned, once all have run.
OnFinding = Callable[["Finding"], None]


@cache
def _weights() -> dict[str, dict[str, int]]:
    """Platform -> metric -> tenths of weight, of the newest formula version in the seed."""
    with _WEIGHTS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    newest = max(int(row["metric_version"]) for row in rows)
    weights: dict[str, dict[str, int]] = {}
    for row in rows:
        if int(row["metric_version"]) == newest:
            tenths = round(float(row["weight"]) * 10)
            weights.setdefault(row["platform"], {})[row["metric"]] = tenths
    return weights


def calculate_engagement_score(metrics: Mapping[str, int | None], platform: str) -> float | None:
    """Engagement score of one post, 0 to 1000 with two decimals (directive 3.1, METRICS.md 4).

    Ten thousand times the weighted engagements per impression, half up, in integers like the SQL
    macro. An absent or None engagement counts as 0; absent impressions count as 1, as the
    directive has it; impressions of None are unknown, and so is the score.
    Raises ValueError for a platform without weights.
    """
    weights = _weights().get(platform)
    if weights is None:
        raise ValueError(f"no engagement weights for platform {platform!r}")
    impressions = metrics.get("impressions", 1)
    if impressions is None:
        return None
    weighted_tenths = sum((metrics.get(name) or 0) * weight for name, weight in weights.items())
    if weighted_tenths <= 0:
        return 0.0
    # hundredths of a point: 10,000 x 100 x (tenths / 10) / impressions, rounded half up
    numerator, denominator = weighted_tenths * 100_000, max(impressions, 1)
    hundredths = (2 * numerator + denominator) // (2 * denominator)
    return min(hundredths, 100_000) / 100


class BuildError(NexusError):
    """The build failed; the message names each failing model or test and why."""


@dataclass(frozen=True)
class BuildResult:
    """What a build did, by dbt's own record."""

    models: int
    tests_passed: int
    tests_warned: int


@dataclass(frozen=True)
class Finding:
    """What a data test found: rows that should not be, none of them with what people wrote."""

    test: str
    sentence: str
    is_warning: bool
    count: int
    columns: list[str]
    rows: list[list[str | None]]
    #: Holds the rows, up to the first thousand.
    file: Path

    def summary(self) -> str:
        """The test, how many rows it found, and what it holds to be true."""
        return f"{self.test}: {_rows_that_fail(self.count)}. {self.sentence}"

    def write(self) -> None:
        """Keep the rows in the file: a build that fails leaves nothing else of them."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("w", newline="") as file:
            csv.writer(file).writerows([self.columns, *self.rows])


@dataclass(frozen=True)
class Dbt:
    """dbt on one data folder. It runs as a child: in-process it would keep the warehouse locked."""

    data_dir: Path

    @property
    def warehouse(self) -> Path:
        return self.data_dir / WAREHOUSE

    @property
    def target(self) -> Path:
        return self.data_dir / "dbt" / "target"

    def manifest(self) -> dict[str, Any]:
        """dbt's description of the project as last built."""
        content: dict[str, Any] = json.loads((self.target / "manifest.json").read_text())
        return content

    def command(self, *arguments: str) -> list[str]:
        project = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT / "dbt_project"))
        program = "execution.analytics.dbt_program"  # -P: found where it is installed, not here
        return [sys.executable, "-P", "-m", program, *arguments, *project]

    def environment(self, target: Path) -> dict[str, str]:
        return {
            "DBT_LOG_LEVEL_FILE": "info",  # all that it debugs takes a tenth of a build to write
            **os.environ,
            "DBT_LOG_LEVEL": "none",
            "DBT_LOG_PATH": str(self.data_dir / "logs"),
            "DBT_TARGET_PATH": str(target),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NEXUS_WAREHOUSE": WAREHOUSE,
            PATH_FOLLOWS: "yes",
        }

    def build(
        self,
        select: str | None = None,
        full_refresh: bool = False,
        progress: OnProgress | None = None,
        tell: OnFinding | None = None,
    ) -> BuildResult:
        """Build and test the models (all, or a dbt selection).

        What other code built is built anew from raw: a table of an older version may lack what
        this one goes on from. Unit tests prove the code: they run when it, or they, changed, or
        are selected. Raises BuildError if any model or test fails.
        """
        built_with = self.data_dir / "dbt" / "built_with"
        code, definitions = _checksum(".sql", ".csv"), _checksum(".yml")
        known = built_with.read_text().split() if built_with.exists() else []
        is_whole = full_refresh or code not in known
        arguments = ["--select", *select.split()] if select else []
        if is_whole:
            arguments += ["--full-refresh"]
            arguments += ["--threads", "1"] if self._is_large() else []
        if not select and known == [code, definitions]:
            arguments += ["--exclude-resource-type", "unit_test"]
        if select and is_whole:  # made of hot rows alone: the next complete build makes it anew
            built_with.unlink(missing_ok=True)
        results = self._follow_run(["build", *arguments], self.target, progress, tell)
        if not results:
            raise BuildError(f"nothing in the project matches {select!r}")
        if not select:
            built_with.write_text(f"{code}\n{definitions}")
        return _count(results)

    def _is_large(self) -> bool:
        return self.warehouse.exists() and self.warehouse.stat().st_size > _LARGE

    def verify(
        self, progress: OnProgress | None = None, tell: OnFinding | None = None
    ) -> BuildResult:
        """Run every data test on all rows, not only on those that the last build touched.

        Builds nothing. Raises BuildError if any test fails.
        """
        self._need_models()
        arguments = ["test", "--select", "test_type:data", "--vars", "{verify: true}"]
        # A target folder of its own: another value of a variable makes dbt read all code anew.
        target = self.target.with_name("verify")
        return _count(self._follow_run(arguments, target, progress, tell))

    def stale_sources(self) -> list[str]:
        """Sources into which nothing landed for longer than their definitions allow, in words.

        One that never held a row is none: its platform may not be used. Raises BuildError.
        """
        self._need_models()
        target = self.target.with_name("verify")
        record = target / "sources.json"
        record.unlink(missing_ok=True)
        arguments = ["source", "freshness", "--vars", "{verify: true}"]
        done = self._run(arguments, nullcontext(self.warehouse), target)
        if not record.exists():
            raise BuildError("\n".join(done.errors))
        results = json.loads(record.read_text())["results"]
        return [_stale(result) for result in results if _is_stale(result)]

    def _follow_run(
        self,
        arguments: list[str],
        target: Path,
        progress: OnProgress | None,
        tell: OnFinding | None,
    ) -> list[dict[str, Any]]:
        """dbt's own record of a run. Raises BuildError if anything in it fails."""
        record, found = target / "run_results.json", target / "failing"
        record.unlink(missing_ok=True)  # an old one would speak for a run that died
        shutil.rmtree(found, ignore_errors=True)
        done = self._run(arguments, self._copy(), target, progress)
        for finding in done.findings:
            told = Finding(**finding, file=found / f"{finding['test']}.csv")
            with suppress(OSError):  # a full disk: what was found is told all the same
                told.write()
            if tell:
                tell(told)
        results: list[dict[str, Any]] = (
            json.loads(record.read_text())["results"] if record.exists() else []
        )
        failures = [_failure(result) for result in results if result["status"] in _FAILED]
        if failures or done.returncode:
            raise BuildError("\n".join(failures or done.errors or ["dbt stopped without a word"]))
        return results

    def preview(self, model: str, limit: int) -> list[dict[str, Any]]:
        """The first rows of a model as its SQL stands now, built or not. Raises BuildError."""
        self._need_models()
        arguments = ["show", "--select", model, "--limit", str(limit), "--output", "json"]
        done = self._run(arguments, nullcontext(self.warehouse), self.target)
        if done.preview is None:
            why = "\n".join(done.errors) or f"no model is called {model!r}"
            if "Catalog Error: Table" in why:
                why += f"\nbuild what it reads first: nexus build --select +{model}"
            raise BuildError(why)
        return done.preview

    def docs(self, page: Path) -> None:
        """Write what dbt knows of the models, with their lineage, as one page that opens offline.

        Raises BuildError.
        """
        done = self._run(["docs", "generate", "--static"], self._copy(), self.target)
        if done.returncode:
            raise BuildError("\n".join(done.errors))
        page.parent.mkdir(parents=True, exist_ok=True)
        (self.target / "static_index.html").replace(page)

    def _need_models(self) -> None:
        """Raises BuildError if no model was built yet: landing alone makes a warehouse, too."""
        built = "select 1 from duckdb_schemas() where schema_name = 'staging'"
        try:
            if self.warehouse.exists():
                with duckdb.connect(self.warehouse, read_only=True) as connection:
                    if connection.execute(built).fetchone():
                        return
        except duckdb.Error as error:  # another process writes it, or it is damaged
            first_line = str(error).partition("\n")[0]
            raise BuildError(f"the warehouse cannot be opened: {first_line}") from error
        raise BuildError("nothing is built yet: nexus build")

    def _copy(self) -> AbstractContextManager[Path]:
        return working_copy(self.warehouse, self.data_dir / "dbt" / "copy")

    def _run(
        self,
        arguments: list[str],
        opened: AbstractContextManager[Path],
        target: Path,
        progress: OnProgress | None = None,
    ) -> "_Done":
        """Run dbt on the warehouse that is `opened`, which takes seconds: dbt loads meanwhile."""
        with (
            subprocess.Popen(
                self.command(*arguments),
                env=self.environment(target),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=_end_with_us,  # noqa: PLW1509  (nothing else happens in the child)
            ) as process,
            opened as warehouse,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with suppress(BrokenPipeError):  # dbt has ended: its output says why
                    process.stdin.write(f"{warehouse.absolute()}\n")
                    process.stdin.close()
                done = _follow(process.stdout, progress)
            except BaseException:
                process.kill()
                raise
            if process.wait() < 0:
                raise BuildError("dbt was killed: the warehouse is as it was before")
            done.returncode = process.returncode
        return done


def _checksum(*suffixes: str) -> str:
    """A text that changes whenever a file of the dbt project with one of these suffixes does."""
    folders = (PROJECT / "models", PROJECT / "dbt_project")
    files = sorted(path for folder in folders for path in folder.rglob("*.*"))
    files = [path for path in files if path.parent.name != "lint"]  # no build reads it
    files += PROJECT.glob("dbt_project.yml")
    code = [path.read_bytes() for path in files if path.suffix in suffixes]
    return hashlib.sha256(b"\0".join(code)).hexdigest()


_PR_SET_PDEATHSIG = 1


def _end_with_us() -> None:
    """Have dbt end when this process is killed: it would go on holding the warehouse (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_FAILED = {"error", "fail"}
_TEST_KINDS = {"test", "unit_test"}


@dataclass
class _Done:
    """What dbt told of a run."""

    returncode: int = 0
    errors: list[str] = field(default_factory=list)
    preview: list[dict[str, Any]] | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)


def _follow(lines: Iterable[str], progress: OnProgress | None) -> _Done:
    """Follow what dbt_program prints; what is not its JSON is a crash that tells of itself."""
    done = _Done()
    for line in lines:
        told = None
        with suppress(ValueError):
            told = json.loads(line)
        match told:
            case {"error": error}:
                done.errors.append(error.removeprefix("Encountered an error:\n"))
            case {"preview": rows}:
                done.preview = rows
            case {"failing": finding}:
                done.findings.append(finding)
            case {"index": index, "total": total, "name": name}:
                if progress:
                    progress(index, total, name)
            case _:
                done.errors.append(line.rstrip())
    return done


def _failure(result: dict[str, Any]) -> str:
    """`model or test: why`, as dbt tells it; of a data test, how many rows it found."""
    kind, _, name, *_ = result["unique_id"].split(".")
    if kind == "test" and result["status"] == "fail":
        return f"{name}: {_rows_that_fail(result['failures'])}"
    return f"{name}: {(result['message'] or '').strip()}"


def _rows_that_fail(count: int) -> str:
    return "1 row fails" if count == 1 else f"{count:,} rows fail"


def _is_stale(result: dict[str, Any]) -> bool:
    was_filled = not result.get("max_loaded_at", "").startswith("0001-")
    return was_filled and result["status"] in {"warn", "error", "runtime error"}


def _stale(result: dict[str, Any]) -> str:
    """`source: why`, as a person says it."""
    name = ".".join(result["unique_id"].split(".")[2:])
    if result["status"] == "runtime error":
        return f"{name}: {result['error']}"
    allowed = result["criteria"]["warn_after"]
    newest = datetime.fromisoformat(result["max_loaded_at"])
    return (
        f"{name}: nothing landed since {newest:%Y-%m-%d %H:%MZ},"
        f" longer ago than {allowed['count']} {allowed['period']}s"
    )


def _count(results: list[dict[str, Any]]) -> BuildResult:
    of_kind = [(result["unique_id"].partition(".")[0], result["status"]) for result in results]
    tests = Counter(status for kind, status in of_kind if kind in _TEST_KINDS)
    return BuildResult(
        models=sum(kind == "model" for kind, _ in of_kind),
        tests_passed=tests["pass"] + tests["success"],
        tests_warned=tests["warn"],
    )


if __name__ == "__main__":
    from execution.cli import main

    main(["build", *sys.argv[1:]], prog_name="nexus")
