#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A LUKS container as large as the device that it is on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: luks_resize
version_added: 0.1.0
short_description: Have an open LUKS container take all of its device
description:
  - Calls C(cryptsetup resize), which needs the key, as M(community.crypto.luks_device) doesn't. The
    container stays open and in use. It is never made smaller.
options:
  name:
    description: The name of the open container, as below C(/dev/mapper).
    type: str
    required: true
  passphrase:
    description: A passphrase that opens it. It reaches C(cryptsetup) by its standard input.
    type: str
  key_file:
    description: A file on the host that opens it.
    type: path
attributes:
  check_mode:
    description: Predicts what a run does, and changes nothing.
    support: full
  diff_mode:
    description: The sizes are returned.
    support: none
  platform:
    description: Debian 12 and Debian 13.
    support: full
    platforms: debian
requirements:
  - cryptsetup and root (use C(become)) on the host
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have the container take what its array has gained
  servertechnik.core.luks_resize:
    name: data
    passphrase: "{{ data_passphrase }}"
"""

RETURN = r"""
size:
  description: How large the container is, or in check mode would be, in bytes.
  returned: success
  type: int
  sample: 1056964608
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._luks import SECTOR, mapping_of

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "passphrase": {"type": "str", "no_log": True},
    "key_file": {"type": "path", "no_log": False},
}


def main() -> None:
    """Translate between Ansible and cryptsetup."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_one_of=[["passphrase", "key_file"]],
        mutually_exclusive=[["passphrase", "key_file"]],
    )
    name, passphrase = module.params["name"], module.params["passphrase"]

    def sizes() -> tuple[int, int]:
        """Return how large the container is and could be."""
        table = str(module.run_command(["dmsetup", "table", name])[1])
        try:
            device, offset, size = mapping_of(table)
            sectors = Path(f"/sys/dev/block/{device}/size").read_text(encoding="ascii")
            return size, int(sectors) * SECTOR - offset
        except (ValueError, OSError) as error:
            module.fail_json(msg=f"{name}: {error}")
            raise

    size, room = sizes()
    if room <= size or module.check_mode:
        module.exit_json(changed=room > size, size=max(room, size))
    words = ["cryptsetup", "resize", name, "--key-file", module.params["key_file"] or "-"]
    status, _out, said = module.run_command(words, data=passphrase, binary_data=True)
    if status:
        module.fail_json(msg=f"{name} can't be resized: {said.strip()}")
    grown = sizes()[0]
    module.exit_json(changed=grown != size, size=grown)


if __name__ == "__main__":
    main()
