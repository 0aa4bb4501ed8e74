"""The web: routes, pages, identity and limits."""
