"""The paper's tables and the sets of their authors, for scripts/examples/reproduce_paper.py."""
