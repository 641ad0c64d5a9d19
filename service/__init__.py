"""The BentoML application: the HTTP interface, its limits, its page and the processes behind it."""
