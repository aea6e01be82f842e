#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What certificates a host has, and new keys for those that are due."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_keys
version_added: 0.1.0
short_description: Look at the certificates of a host, and make keys and requests for new ones
description:
  - Returns the certificates that the role P(servertechnik.core.pki#role) has put on a host, and the
    public halves of their keys, in one call.
  - Makes a new key and a request for those that are to be renewed. The key stays on the host, and
    isn't used before a link to it changes together with the certificate.
options:
  names:
    description: Names of certificates, that is of their folders below C(/etc/ssl/servertechnik).
    type: list
    elements: str
    default: []
  requests:
    description: Certificates for which a new key and a request are made.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the certificate.
        type: str
        required: true
      key_type:
        description: Kind of the key.
        type: str
        choices: [ecdsa-p256, ecdsa-p384, ed25519, rsa-3072, rsa-4096]
        required: true
      dns_names:
        description: Names that the request asks for.
        type: list
        elements: str
        required: true
      addresses:
        description: Addresses that the request asks for.
        type: list
        elements: str
        required: true
      usages:
        description: What the certificate is for.
        type: list
        elements: str
        choices: [server, client]
        required: true
      owner:
        description: Owner of the key.
        type: str
        required: true
      group:
        description: Group of the key.
        type: str
        required: true
      mode:
        description: Permissions of the key in octal, quoted.
        type: str
        required: true
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change.
    support: full
  diff_mode:
    description: Has nothing to show, as keys are secret.
    support: none
  platform:
    description: Where this can run.
    support: full
    platforms: debian
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Look at the certificate of the host
  servertechnik.core.certificate_keys:
    names: [host]
  register: found

- name: Have a new key for it
  servertechnik.core.certificate_keys:
    requests:
      - name: host
        key_type: ecdsa-p256
        dns_names: [web1.example.org]
        addresses: [192.0.2.10]
        usages: [server, client]
        owner: root
        group: root
        mode: "0600"
"""

RETURN = r"""
certificates:
  description: What there is of each certificate, by its name.
  returned: success
  type: dict
  contains:
    certificate:
      description: The certificate in PEM; empty if there is none.
      type: str
    key:
      description: Where the key is that is in use; empty if there is none.
      type: str
      sample: /etc/servertechnik/keys/host-0123456789abcdef.pem
    access:
      description: Owner, group and mode of that key.
      type: str
      sample: root:root 0600
    public_key:
      description: The public half of that key in PEM.
      type: str
    request:
      description: The request in PEM, if one was made.
      type: str
    new_key:
      description: Where the new key is, if one was made.
      type: str
"""

from collections.abc import Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._certificate_keys import (
    ALGORITHMS,
    USAGES,
    Keys,
    KeysError,
)

NAMES = {"type": "list", "elements": "str", "required": True}
TEXT = {"type": "str", "required": True}
ARGUMENTS = {
    "names": {"type": "list", "elements": "str", "default": []},
    "requests": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": TEXT,
            "key_type": {**TEXT, "choices": list(ALGORITHMS), "no_log": False},
            "dns_names": NAMES,
            "addresses": NAMES,
            "usages": {**NAMES, "choices": list(USAGES)},
            **dict.fromkeys(("owner", "group", "mode"), TEXT),
        },
    },
}


def main() -> None:
    """Translate between Ansible and the keys."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)

    def openssl(words: Sequence[str], stdin: str) -> str:
        status, out, err = module.run_command(["openssl", *words], data=stdin or None)
        if status:
            raise KeysError(f"openssl {words[0]} failed: {err.strip()}")
        return str(out)

    keys, requests = Keys(openssl), module.params["requests"]
    names = [*module.params["names"], *(wanted["name"] for wanted in requests)]
    found = {name: keys.found(name) for name in names}
    for wanted in requests if not module.check_mode else ():
        try:
            found[wanted["name"]] |= keys.request(wanted)
        except (KeysError, OSError) as error:
            module.fail_json(msg=f"certificate {wanted['name']}: {error}")
    module.exit_json(changed=bool(requests), certificates=found)


if __name__ == "__main__":
    main()
