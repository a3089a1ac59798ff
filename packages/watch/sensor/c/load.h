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
	int cgroup; /* set by load(): the root of the version 2 hierarchy, -1 where there is none */
	bool verbose; /* what libbpf and the verifier say goes to standard error */
	__u64 rate; /* events a second that each cgroup may make */
	size_t ring_bytes; /* power of two of pages */
	unsigned flow_ms; /* how often flows are told of; 0: they are not counted */
	bool no_casts; /* read as before Linux 6.2 (kernel/read.h); set by load() where this kernel takes no casts */
	bool no_network; /* set by load(): network policies are not to be enforced, or this kernel does not take what does it */
	const char *calls; /* names of TRACED_CALL in calls.h, with commas between; NULL: none */
	bool courses; /* of connections: that they were established, and that they ended */
	bool environment; /* of programs that begin is told, too */
	bool no_names; /* set by load(): this kernel does not take hooks/dns.h */
};

struct loaded {
	struct ring_buffer *ring;
	const struct cpu_loss *losses;
	struct reader *reader;
	struct left_system *left_systems; /* LEFT_SYSTEMS of them; NULL: the kernel side tells of none */
	__u32 leaves; /* what it tells of them: enum left (shared.h) */
	int cpus;
	char hooks[1536]; /* lines "event hook\n" of what is attached */
	int guard; /* socket from the process that enforces; -1: there is none */
	int flows; /* socket from the process that reads flows; -1: there is none */
	int snapshot; /* to read until its end, for the frames of what is there already */
};

typedef int (*on_frame)(void *context, void *frame, size_t length);

/* Does not return where something is refused: it fails with what, why and how to mend. */
struct loaded load(struct load_options *options, on_frame receive, void *context);

#endif
