/* SPDX-License-Identifier: Apache-2.0 */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(const char *what, const char *mend, const char *why, ...)
{
	char reason[512];
	va_list values;

	va_start(values, why);
	vsnprintf(reason, sizeof(reason), why, values);
	va_end(values);
	fprintf(stderr, "bulwark-sensor: %s: %s. %s\n", what, reason, mend);
	exit(2);
}
