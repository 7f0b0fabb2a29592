"""PaintSeg: training-free segmentation by painting (Li et al., arXiv 2305.19406)."""
