/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BULWARK_FAIL_H
#define BULWARK_FAIL_H

/* One line on standard error (what, why, how to mend) and exit code 2. `why` is formatted. */
__attribute__((noreturn, format(printf, 3, 4))) void fail(const char *what, const char *mend, const char *why, ...);

#endif
