"""The servers compared with, each as its documentation has it; a file is run in that peer's own environment."""
