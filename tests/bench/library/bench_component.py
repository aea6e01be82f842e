#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `servertechnik.core.component` with a clock in it."""

from __future__ import annotations

import time

BEGAN = time.perf_counter()

from typing import Any  # noqa: E402  the clock runs before the imports

from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (  # noqa: E402
    COMPONENT,
    component_of,
    run_module,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host  # noqa: E402
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import (  # noqa: E402
    transact,
)


def main() -> None:
    """Do what the module does; `imports` and `seconds` are what its two halves took."""
    start = time.perf_counter()
    module = AnsibleModule(argument_spec=COMPONENT, supports_check_mode=True)

    def work() -> dict[str, Any]:
        result = transact(Host(), component_of(module))
        return {**result, "imports": start - BEGAN, "seconds": time.perf_counter() - start}

    run_module(module, work)


if __name__ == "__main__":
    main()
