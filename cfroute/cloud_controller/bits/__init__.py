"""What people upload: packages and droplets, taken in and kept on the disk."""
