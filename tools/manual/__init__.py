"""What the documentation takes from the code: options of the shell, docstrings, and the drawing of the layers."""
