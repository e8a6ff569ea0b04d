"""From the build files of a tree to the builds of its programs: one object for one run."""

from __future__ import annotations

from collections.abc import Sequence

from lwslint.build.model import Builds
from lwslint.build.survey import survey
from lwslint.discovery import Found
from lwslint.settings import Settings


class Builder:
    """Reads the build files when the sources that use libwebsockets are known.

    ``candidates`` are the build files that discovery saw; ``settings`` what was asked for.
    """

    def __init__(self, candidates: Sequence[Found], settings: Settings) -> None:
        self._candidates = candidates
        self.settings = settings
        self.builds = Builds()

    def decide(self, sources: Sequence[str]) -> Settings:
        """Read what matters for ``sources``, paths as reports name them; returns the settings to use."""
        if self._candidates:
            self.builds = Builds(survey(self._candidates, sources).files)
        return self.settings
