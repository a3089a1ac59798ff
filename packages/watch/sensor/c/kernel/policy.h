/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is enforced, and where: maps that the process which enforces (../guard.h) fills. */
#ifndef BULWARK_KERNEL_POLICY_H
#define BULWARK_KERNEL_POLICY_H

#include "../policy.h"

/* Memory is taken as policies are made: without one they cost nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICIES);
	__type(key, struct policy_key);
	__type(value, struct policy);
} policies SEC(".maps");

/* Of POLICY_EXEC: enum path_match. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_PATHS);
	__type(key, struct path_key);
	__type(value, __u8);
} policy_paths SEC(".maps");

/* The policy of this very cgroup, while its time is not over. */
static __always_inline struct policy *policy_of(__u64 cgroup, enum policy_kind kind)
{
	struct policy_key key = { .cgroup = cgroup, .kind = kind };
	struct policy *policy = bpf_map_lookup_elem(&policies, &key);

	return policy && bpf_ktime_get_boot_ns() < policy->until ? policy : 0;
}

/* The cgroup of version 2: those of version 1 have numbers of their own, which may be the same. */
static __always_inline struct kernfs_node *cgroup_node(struct task_struct *task)
{
	return READ(task, cgroups, dfl_cgrp, kn);
}

/* Counts, and says whether it is to be refused. */
static __always_inline bool refuse(struct policy *policy, __u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
	return policy->flags & POLICY_ENFORCE;
}

#endif
