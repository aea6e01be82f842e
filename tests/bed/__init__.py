"""The test bed: Debian images, and hosts made from them, in containers."""
