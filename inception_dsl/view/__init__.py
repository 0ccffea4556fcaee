"""The page of a spec while it is edited, on this machine alone."""
