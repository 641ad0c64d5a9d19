"""Probing beside the service: the prober process, the client that talks to it, durable jobs and their database."""
