"""Which releases of libwebsockets a program is meant for, as far as a fix has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lwslint.build.release import lower_bounds
from lwslint.settings import Version

if TYPE_CHECKING:
    from lwslint.model.project import Project


def may_lack(project: Project, since: Version) -> bool:
    """Whether the program may be built with a release before ``since``: with the target of the
    configuration or the build files, else with the oldest that a build file allows."""
    target = project.settings.lws_version
    if target is not None:
        return target < since
    return any(bound < since for _, bound in lower_bounds(project.build_files))
