"""Fixes: what rules would have changed, as edits of the files; choosing, checking and making them.

:mod:`lwslint.fixes.resolve` turns the remedies of findings into fixes, :mod:`lwslint.fixes.plan` chooses
those that can be made together, and :mod:`lwslint.fixes.rounds` makes them.
"""
