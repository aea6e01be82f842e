# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage
version_added: 0.1.0
short_description: Build the storage of a host from blank disks, and let it grow
description:
  - Reads what a host has with one call of M(servertechnik.core.disk_health), plans on the
    controller, and takes the steps one by one with M(community.general.parted),
    M(servertechnik.core.raid_array), M(community.crypto.luks_device), M(community.general.lvg),
    M(community.general.lvol) and M(community.general.filesystem). Where nothing is to be done, the
    one call is all.
  - A thing is made only on what was read to be blank just before; whatever else is on a disk is
    told, and then nothing at all is done. What isn't in the arguments is left alone.
  - Nothing is made smaller. What can grow does so in use.
  - A run that was interrupted is finished by the next one.
  - An array or volume group that runs without one of its disks is told, and the rest goes on.
    A blank disk in the place of one that was lost is left to C(playbooks/replace_disk.yml).
  - Packages that are missing are installed. File systems are made and not mounted; RV(mounts) says
    what to mount.
options:
  disks:
    description: Disks and partitions, V(storage_disks) of P(servertechnik.core.storage#role).
    type: list
    elements: dict
    default: []
  arrays:
    description: Software RAID, V(storage_arrays) of the role.
    type: list
    elements: dict
    default: []
  encrypted:
    description: LUKS containers, V(storage_encrypted) of the role.
    type: list
    elements: dict
    default: []
  volume_groups:
    description: LVM, V(storage_volume_groups) of the role.
    type: list
    elements: dict
    default: []
  file_systems:
    description: File systems and swap space, V(storage_file_systems) of the role.
    type: list
    elements: dict
    default: []
  wipe:
    description:
      - Serials of disks whose contents may be destroyed where they are in the way. What is in use
        isn't even then, and nor is what is as it is to be.
    type: list
    elements: str
    default: []
  header_backups:
    description:
      - A folder on the controller for copies of LUKS headers, one for each container. They are
        taken when a header is made or has changed. Empty for none.
    type: path
    default: ""
attributes:
  check_mode:
    description: Predicts what a run does, and changes nothing.
    support: full
  diff_mode:
    description: Shows the storage as a tree, as it is and as it will be.
    support: full
  platform:
    description: Debian 12 and Debian 13.
    support: full
    platforms: debian
author:
  - The Servertechnik authors (@servertechnik)
seealso:
  - module: servertechnik.core.disk_health
  - module: servertechnik.core.raid_array
"""

EXAMPLES = r"""
- name: Have a mirror of two disks for data
  servertechnik.core.storage:
    disks:
      - name: front
        serial: SER001
        partitions: [{name: data, type: raid}]
      - name: back
        serial: SER002
        partitions: [{name: data, type: raid}]
    arrays:
      - name: data
        level: 1
        members: [front/data, back/data]
    file_systems:
      - device: data
        type: ext4
        mount: /srv
"""

RETURN = r"""
steps:
  description: What was done, or would be in check mode, in order and in words.
  returned: always
  type: list
  elements: str
  sample: ["make partition 1 front/data on /dev/vdb: 1.9 TiB, raid"]
findings:
  description: What is not as it is to be and isn't put right here, in words.
  returned: always
  type: list
  elements: str
  sample: ["array data runs without back/data: disk back (serial SER002) isn't there"]
mounts:
  description:
    - File systems and swap space by their stable devices. V(here) is false for what belongs to a
      system that still runs elsewhere, and for C(/), C(/boot) and C(/boot/efi).
  returned: always
  type: list
  elements: dict
  sample:
    - device: /dev/disk/by-uuid/0b9f3a56-5d3e-5a0a-9f5b-6f6f5c1b0a11
      path: /dev/md127
      name: data
      mount: /srv
      type: ext4
      options: []
      here: true
"""
