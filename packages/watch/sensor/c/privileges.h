/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BULWARK_PRIVILEGES_H
#define BULWARK_PRIVILEGES_H

/* Fails with a remedy where this process may not load programs that trace the kernel. */
void require_privileges(void);

/* Gives up every capability but these, as far as it has them, and every way to get one. */
void keep_privileges(unsigned long long wanted);

#endif
