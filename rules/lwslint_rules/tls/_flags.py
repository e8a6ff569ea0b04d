"""How ``ssl_connection`` asks for TLS."""

from __future__ import annotations

from lwslint.knowledge import api
from lwslint.model.project import Project
from lwslint.model.releases import may_lack

USE_SSL = "LCCSCF_USE_SSL"


def spelled_tls(project: Project) -> str:
    """``LCCSCF_USE_SSL``, or the 1 that it stands for where a release may be older than it."""
    flag = api.flag(USE_SSL)
    assert flag is not None
    return "1" if may_lack(project, api.parse_version(flag.since)) else USE_SSL
