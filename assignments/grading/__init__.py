"""Grade a class: collect, repair, run in a sandbox, judge outside it, report."""
