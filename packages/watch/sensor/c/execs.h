/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are refused before they are executed: fanotify(7), FAN_OPEN_EXEC_PERM on the mounts of a container. */
#ifndef BULWARK_EXECS_H
#define BULWARK_EXECS_H

#include <linux/types.h>
#include <stdbool.h>

#define EXEC_PATHS 64
#define EXEC_CGROUP_BYTES 1024

/* Which programs, and of whom. */
struct exec_rule {
	char cgroup[EXEC_CGROUP_BYTES]; /* path in the version 2 hierarchy */
	__u32 flags; /* enum policy_flag */
	int paths_used;
	char *paths[EXEC_PATHS]; /* one that ends in a slash: everything below it */
	int upper; /* directory of the overlay's writable layer; -1: there is none or it is not known */
};

/* What was refused last. */
struct exec_count {
	__u64 refused;
	__u32 pid;
	char path[4096];
};

/*
 * A queue that the kernel asks before each exec through the mounts that the process has now, and of its whole overlay
 * also through those to come. -1, with errno: it cannot be had, or not all of the container's root.
 */
int execs_open(__u32 pid);

/* The writable layer of the root of that process, as the host has it; -1: its root is no overlay, or it is not known. */
int execs_upper(__u32 pid);

/* Answers what waits in the queue. */
void execs_answer(int queue, const struct exec_rule *rule, struct exec_count *count);

#endif
