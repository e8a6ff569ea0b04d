"""How ``ssl_connection`` asks for TLS."""

from __future__ import annotations

from lwslint.knowledge import api
from lwslint.model.project import Project

USE_SSL = "LCCSCF_USE_SSL"


def spelled_tls(project: Project) -> str:
    """``LCCSCF_USE_SSL``, or the 1 that it stands for where the target release is older than it."""
    flag = api.flag(USE_SSL)
    version = project.settings.lws_version
    assert flag is not None
    return "1" if version is not None and version < api.parse_version(flag.since) else USE_SSL
