"""Which builds a finding is in, added to what its rule says."""

from __future__ import annotations

import msgspec

from lwslint.diagnostics import Diagnostic, Step
from lwslint.model.project import Project


def annotated(diagnostic: Diagnostic, project: Project) -> Diagnostic:
    """The finding with the build files that decide that its code is compiled at all.

    A finding behind a switch that is off by default says so in its message, or which configuration of the
    tree has it on, unless its rule has done so.
    """
    path, span = diagnostic.place
    compilation = project.build.compilations.get(path)
    if compilation is None:
        return diagnostic
    message, steps = diagnostic.message, list(diagnostic.related)
    told = {step.place for step in steps}
    for condition in project.conditions_at(path, span):
        switch, state = project.build.decided(path, condition)
        if switch is not None and state is False:
            words = f"{switch.macro} {'undefined' if switch.on else 'defined'}"
            if switch.elsewhere:
                place, why = switch.elsewhere[0].place, f"{switch.elsewhere[0].name} builds it in: {words}"
            else:
                place, why = switch.place, f"only in a build with {words}: {switch.text}"
            if place not in told:
                message = f"{message}; {why}"
                steps.append(Step(place, "the build decides that here"))
                told.add(place)
        for origin in compilation.origins:
            certain = condition.truth is True and origin.macro in condition.names
            if certain and origin.value is not None and origin.place not in told:
                steps.append(Step(origin.place, f"the build defines {origin.macro} here, always"))
                told.add(origin.place)
    if len(steps) == len(diagnostic.related):
        return diagnostic
    return msgspec.structs.replace(diagnostic, message=message, related=tuple(steps))
