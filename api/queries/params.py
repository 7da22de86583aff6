"""What a caller may ask: query strings parsed and validated, defaults filled in, zones known."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas import Compare, Lens, Order, Platform, SortKey, WindowName

#: Posts on either platform are younger; zone rules before are not worth carrying.
EARLIEST_DAY = date(2003, 1, 1)
LATEST_DAY = date(2100, 1, 1)
LONGEST_WINDOW = timedelta(days=3660)
MAXIMUM_ACCOUNTS = 500
MAXIMUM_OFFSET = 1_000_000


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise PydanticCustomError("zone", "not an IANA time zone, such as Europe/Berlin")
    return name


def _account_list(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError("accounts", "give account ids once, separated by commas")
    return value.split(",")


Zone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
Day = Annotated[date, Field(ge=EARLIEST_DAY, le=LATEST_DAY)]
AccountList = Annotated[
    list[UUID],
    Field(min_length=1, max_length=MAXIMUM_ACCOUNTS),
    BeforeValidator(_account_list),
]


class Params(BaseModel):
    """Base of all query strings: a name that is not known is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def parse(cls, arguments: Mapping[str, list[str]]) -> Self:
        """The validated query string. Raises pydantic.ValidationError, one error a field.

        A parameter given twice stays a list, which no field takes: which counts would be a guess.
        """
        return cls.model_validate(
            {name: given[0] if len(given) == 1 else given for name, given in arguments.items()}
        )

    def normalised(self) -> dict[str, Any]:
        """The same question always gives the same dictionary: for ETags."""
        return self.model_dump(mode="json", by_alias=True)


class WindowParams(Params):
    """Which window, of which accounts, compared with what. Shared by all window routes."""

    window: WindowName = Field("30d", description="`custom` needs `from` and `to`")
    from_: Day | None = Field(None, alias="from", description="first local day (custom)")
    to: Day | None = Field(None, description="last local day, inclusive (custom)")
    tz: Zone | None = Field(None, description="IANA zone; default: the caller's")
    compare: Compare = Field("previous", description="what to compare with")
    match_weekday: Literal["true", "false"] = Field(
        "false", description="shift the previous period back to the same weekdays"
    )
    lens: Lens = Field(
        "gained",
        description="gained in period, or posts published in period, compared at one age",
    )
    accounts: AccountList | None = Field(
        None, description="account ids, comma-separated; default: all of the caller's"
    )

    @model_validator(mode="after")
    def _days_fit_the_window(self) -> Self:
        if self.window != "custom":
            if self.from_ or self.to:
                raise PydanticCustomError("days", "`from` and `to` belong to window=custom")
            return self
        if self.from_ is None or self.to is None:
            raise PydanticCustomError("days", "window=custom needs `from` and `to`")
        if self.to < self.from_:
            raise PydanticCustomError("days", "`to` lies before `from`")
        if self.to - self.from_ >= LONGEST_WINDOW:
            raise PydanticCustomError("days", "a window is at most 3660 days long")
        return self

    @model_validator(mode="after")
    def _lens_fits_the_window(self) -> Self:
        if self.lens == "published" and self.window == "24h":
            raise PydanticCustomError("lens", "lens=published is not offered for window=24h")
        return self

    @property
    def days(self) -> tuple[date, date] | None:
        """First and last local day of a custom window."""
        return (self.from_, self.to) if self.from_ and self.to else None


class OverviewParams(WindowParams):
    """GET /api/analytics/overview"""

    platform: Platform | None = Field(None, description="only this platform")


class PlatformParams(WindowParams):
    """GET /api/analytics/platform/<platform>; the platform comes from the path."""


class PostsParams(WindowParams):
    """GET /api/analytics/posts"""

    platform: Platform | None = Field(None, description="only this platform")
    sort: SortKey = Field("engagement_score", description="unknown values come last either way")
    order: Order = "desc"
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=MAXIMUM_OFFSET)] = 0


class NoParams(Params):
    """A route that takes no query string."""
