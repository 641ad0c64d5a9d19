"""How robust the model is on the traffic it really gets: a sample is probed after it was answered; no text is kept.

A worker samples (`sampler`), its prober probes and counts (`observer`), all probers add to one file (`counts`), and any
worker reports from there (`report`).
"""
