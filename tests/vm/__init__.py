"""Virtual machines for what a container can't show: kernel, boot, links, disks, power."""
