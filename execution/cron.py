"""`nexus schedule`: a crontab line and systemd units, ready to install."""

import shlex
from pathlib import Path

from execution.control.settings import Settings

#: Cron fires well inside each two-hour slot; a run with nothing due costs no request.
_MINUTES = "*/15"


def schedule(settings: Settings, project: Path) -> str:
    """The text to install: cron on top, systemd below. Paths are those of this installation."""
    make = f"make -C {shlex.quote(str(project))} refresh"
    data = shlex.quote(str(settings.data_dir))
    log = shlex.quote(str(settings.data_dir / "logs" / "cron.log"))
    return f"""\
# --- cron: add this line with `crontab -e` ---------------------------------------------
{_MINUTES} * * * * NEXUS_DATA_DIR={data} {make} >> {log} 2>&1

# --- systemd: ~/.config/systemd/user/nexus-refresh.service ------------------------------
[Unit]
Description=Nexus Analytics: collect, build, test, publish

[Service]
Type=oneshot
Environment=NEXUS_DATA_DIR={settings.data_dir}
ExecStart=/usr/bin/env {make}
# 3: partly done, 75: another run is at work
SuccessExitStatus=3 75

# --- systemd: ~/.config/systemd/user/nexus-refresh.timer --------------------------------
[Unit]
Description=Nexus Analytics every 15 minutes

[Timer]
OnCalendar=*:0/15
Persistent=true

[Install]
WantedBy=timers.target
# then: systemctl --user enable --now nexus-refresh.timer
"""
