"""Making a multilingual encoder out of an English one and sentence-aligned text: `babelproof-train align`."""
