"""The web side of every request: connections, bodies, the gate, routing, refusals, log lines, the OpenAPI document."""
