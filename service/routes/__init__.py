"""Groups of routes, a file each: a class whose `routes` says what answers where."""
