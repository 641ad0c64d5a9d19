"""Methods side by side: every arm under every seed, trained, evaluated, and held against plain of as many updates."""
