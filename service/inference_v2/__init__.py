"""The Open Inference Protocol, version 2: what its messages look like, and how tensors become texts and back."""
