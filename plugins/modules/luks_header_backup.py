#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A copy of a LUKS header, without which nothing of a container can ever be read again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: luks_header_backup
version_added: 0.1.0
short_description: Return a copy of a LUKS header
description:
  - Calls C(cryptsetup luksHeaderBackup) and returns what it wrote, packed. On the host, nothing is
    left of it.
  - Whoever has the copy and a passphrase that opened the container when it was taken can read all
    data. Keep results out of logs (C(no_log)); the action M(servertechnik.core.storage) writes them
    to files that only their owner can read.
options:
  device:
    description: The device that is encrypted.
    type: path
    required: true
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Only reads.
    support: none
  platform:
    description: Debian 12 and Debian 13.
    support: full
    platforms: debian
requirements:
  - cryptsetup and root (use C(become)) on the host
author:
  - The Servertechnik authors (@servertechnik)
seealso:
  - module: servertechnik.core.storage
"""

EXAMPLES = r"""
- name: Take a copy of the header
  servertechnik.core.luks_header_backup:
    device: /dev/md/system
  register: header
  no_log: true
"""

RETURN = r"""
header:
  description: The copy, compressed by gzip, in Base64.
  returned: success
  type: str
  sample: H4sIAAAAAAAC…
"""

import base64
import gzip
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Translate between Ansible and cryptsetup."""
    arguments = {"device": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    # In memory, so that no disk ever has it.
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        copy = Path(folder, "header")
        words = ["cryptsetup", "luksHeaderBackup", module.params["device"]]
        status, _out, said = module.run_command([*words, "--header-backup-file", str(copy)])
        if status:
            module.fail_json(msg=f"{module.params['device']}: {said.strip()}")
        packed = base64.b64encode(gzip.compress(copy.read_bytes(), mtime=0)).decode()
    module.exit_json(changed=False, header=packed)


if __name__ == "__main__":
    main()
