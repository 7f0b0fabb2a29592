"""What `scripts/gpu_check` measures, on a card or, small, without one."""
