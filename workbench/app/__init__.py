"""The browser workbench: one selection shared by all pages, cached readings, and the pages' common parts."""
