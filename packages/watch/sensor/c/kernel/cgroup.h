/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths of cgroups, the thread by which user space finds the container of a process. */
#ifndef BULWARK_KERNEL_CGROUP_H
#define BULWARK_KERNEL_CGROUP_H

#define CGROUP_DEPTH 16
#define CGROUP_BYTES 1024
/* CGROUP_SUBSYS_COUNT is 12 to 15, by kernel and its configuration; css_set has no more pointers than that. */
#define CGROUP_CONTROLLERS 16

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___parent *old = (void *)node;

	if (bpf_core_field_exists(old->parent))
		return READ(old, parent);
	return READ(node, __parent);
}

struct climb {
	struct kernfs_node *node;
	__u64 at; /* where the next name goes */
};

/* Writes the names from the leaf to the root, none for the root itself. Global for the reason told at write_path(). */
__attribute__((noinline)) int write_cgroup(struct sheet *sheet, struct climb *climb)
{
	if (!sheet || !climb)
		return 0;
	__u64 limit = climb->at + CGROUP_BYTES - NAME_BYTES;

	for (int i = 0; i < CGROUP_DEPTH && climb->at <= limit; i++) {
		struct kernfs_node *node = climb->node, *parent = kernfs_parent(node);

		if (!parent)
			break;
		__u32 size = write_name(sheet, climb->at, READ(node, name));
		if (size == 0)
			break;
		climb->at += size;
		climb->node = parent;
	}
	return 0;
}

/*
 * Where version 1 hierarchies are mounted, a process is in another cgroup in each. The deepest is the container's: one
 * at its root says nothing, and a service manager above makes fewer levels than the runtime below it.
 */
static __always_inline struct cgroup *deepest_v1_cgroup(struct css_set *set, struct cgroup *v2)
{
	struct cgroup_root *v2_root = READ(v2, root);
	struct cgroup *deepest = 0, *last = 0;
	struct cgroup_subsys_state *states[CGROUP_CONTROLLERS] = {};
	int depth = 0;

	__u32 size = bpf_core_field_size(set->subsys);
	bpf_probe_read_kernel(states, size < sizeof(states) ? size : sizeof(states), &set->subsys);
	for (__u32 i = 0; i < CGROUP_CONTROLLERS; i++) {
		struct cgroup *cgroup = READ(states[i], cgroup);
		/* Controllers that are on version 2 or share a hierarchy have the cgroup of the one before. */
		if (!cgroup || cgroup == last)
			continue;
		last = cgroup;
		int level = READ(cgroup, level);
		if (level > depth && READ(cgroup, root) != v2_root) {
			deepest = cgroup;
			depth = level;
		}
	}
	return deepest;
}

#endif
