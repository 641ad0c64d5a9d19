"""From what a client sends to what it is told: predictions, robustness cards, certificates, probes."""
