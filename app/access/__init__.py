"""Who may call the service, and how much of it they get: keys, scopes, rates, shares."""
