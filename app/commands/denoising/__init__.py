"""What the command ``denoise`` does: plan its jobs, have them done here or by a service, write and report."""
