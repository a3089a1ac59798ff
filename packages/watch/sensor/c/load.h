/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and attaches the kernel side. */
#ifndef BULWARK_LOAD_H
#define BULWARK_LOAD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "shared.h"

struct load_options {
	bool host;
	bool verbose; /* what libbpf and the verifier say goes to standard error */
	size_t ring_bytes; /* power of two of pages */
};

struct loaded {
	struct ring_buffer *ring;
	const struct cpu_loss *losses;
	int cpus;
	int snapshot; /* to read until its end, for the frames of what is there already */
};

typedef int (*on_frame)(void *context, void *frame, size_t length);

/* Does not return where something is refused: it fails with what, why and how to mend. */
struct loaded load(const struct load_options *options, on_frame receive, void *context);

/* Lines "event hook\n" of what is attached. */
extern const char hooks[];

#endif
