"""Networks: verified on disk, loaded, batched, run."""
