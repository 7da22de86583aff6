"""Every setting, read from `NEXUS_…` environment variables or a `.env` file. README lists them."""

from pathlib import Path
from typing import Any, Final, Literal

from platformdirs import user_config_path
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.addresses import check_base_url

#: Platform -> what the names of its settings begin with. Commands and the API know by it which
#: platforms there are: those of `ingest.platforms`, whose clients take a while to load.
PLATFORM_PREFIXES: Final = {"linkedin": "linkedin", "twitter": "x"}

#: File of the data folder that names an erasure from its beginning to its end.
INTENT = "forget.json"


class Settings(BaseSettings):
    """Settings of one installation; each field is `NEXUS_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="NEXUS_", env_file=".env", extra="ignore")

    data_dir: Path = Field(Path("var"), description="Folder that holds all state")
    vault_key_file: Path = Field(
        default_factory=lambda: user_config_path("nexus") / "vault.json",
        description="Keys that protect tokens and pseudonyms; must lie outside the data folder",
    )
    database_url: SecretStr | None = Field(
        None, description="Control store, an SQLAlchemy URL; default: SQLite in the data folder"
    )

    archive_url: str | None = Field(
        None,
        description="Where old snapshots move: a folder or fsspec URL; default: `archive/` there",
    )

    x_base_url: str = Field("https://api.x.com", description="Where X API v2 answers")
    x_dialect: Literal["tweet", "post"] = Field(
        "tweet", description="Field names sent to X: tweet.fields or post.fields"
    )
    x_client_id: str | None = Field(None, description="OAuth 2.0 client of your X app")
    x_client_secret: SecretStr | None = Field(None, description="Its secret, if confidential")
    x_owned_reads: bool = Field(
        True, description="X bills your timeline as owned reads: read it first; false: look up"
    )
    x_requests_per_15_minutes: int = Field(900, ge=1, description="Request budget for X")

    linkedin_base_url: str = Field(
        "https://api.linkedin.com", description="Where LinkedIn's REST API answers"
    )
    linkedin_version: str = Field(
        "202607", pattern=r"^\d{6}$", description="LinkedIn-Version header (YYYYMM)"
    )
    linkedin_tier: Literal["standard", "development"] = Field(
        "standard", description="Access tier of your LinkedIn app"
    )
    linkedin_client_id: str | None = Field(None, description="OAuth client of your LinkedIn app")
    linkedin_client_secret: SecretStr | None = Field(None, description="Its secret")
    linkedin_requests_per_hour: int = Field(100, ge=1, description="Request budget for LinkedIn")

    oauth_redirect_url: str = Field(
        "http://127.0.0.1:8011/callback",
        description="Where consents return to; register it with your apps",
    )
    webhook_url: str | None = Field(None, description="Where notifications are posted as JSON")

    host: str = Field("127.0.0.1", description="Address the API listens on")
    port: int = Field(8010, ge=0, le=65535, description="Port the API listens on; 0: any free one")
    public_url: str | None = Field(
        None, description="URL people reach the dashboard at, if behind a proxy"
    )
    api_requests_per_minute: int = Field(120, ge=1, description="API rate limit per user")
    keep_generations: int = Field(3, ge=1, description="Published versions kept for rollback")
    threads: int = Field(4, ge=1, description="Threads that answer API requests")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Log level")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: readable on a terminal, JSON lines elsewhere"
    )

    @field_validator("data_dir", "vault_key_file")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("*")
    @classmethod
    def _safe_for_tokens(cls, value: Any, field: ValidationInfo) -> Any:
        """Tokens go only to the platform, over https, or to this machine."""
        is_platform = (field.field_name or "").endswith("_base_url")
        return check_base_url(value) if is_platform else value

    def of_platform(self, platform: str, name: str) -> Any:
        """The platform's setting of this name; AttributeError where it has none."""
        return getattr(self, f"{PLATFORM_PREFIXES[platform]}_{name}")

    @property
    def control_url(self) -> str:
        """SQLAlchemy URL of the control store."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'control.sqlite3'}"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that one run at a time writes."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        """Where publish puts the files that readers open."""
        return self.data_dir / "published"


def variable(platform: str, name: str) -> str:
    """The environment variable of a platform's setting: NEXUS_X_CLIENT_ID."""
    return f"NEXUS_{PLATFORM_PREFIXES[platform]}_{name}".upper()
