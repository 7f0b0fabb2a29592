"""What people come for: take an object out, cut it out, complete it, put it elsewhere (paper, appendix C)."""
