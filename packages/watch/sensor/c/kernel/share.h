/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Each cgroup has a share of events: a bucket of tokens that fills at a rate. A container that makes more loses its own
 * events, and no others; how many is told each second in a flood frame of its own.
 */
#ifndef BULWARK_KERNEL_SHARE_H
#define BULWARK_KERNEL_SHARE_H

#define SECOND 1000000000ull

struct share {
	__u64 filled; /* until when the tokens count, nanoseconds of CLOCK_BOOTTIME */
	__s64 tokens;
	__u64 passed_over;
	__u64 told; /* when passed_over was told */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct share);
} shares SEC(".maps");

/* The cgroup of version 2, or where the process is at its root, that of the memory controller of version 1. */
static __always_inline __u64 cgroup_number(struct task_struct *task)
{
	struct css_set *set = READ(task, cgroups);
	struct cgroup *cgroup = READ(set, dfl_cgrp);

	if (READ(cgroup, level) == 0 && bpf_core_enum_value_exists(enum cgroup_subsys_id___probe, memory_cgrp_id)) {
		struct cgroup_subsys_state *state = 0;
		__u32 index = bpf_core_enum_value(enum cgroup_subsys_id___probe, memory_cgrp_id);

		bpf_probe_read_kernel(&state, sizeof(state), &set->subsys[0] + index);
		cgroup = READ(state, cgroup);
	}
	return READ(cgroup, kn, id);
}

static __always_inline void tell_flood(struct task_struct *task, __u64 passed_over)
{
	struct frame_flood frame = { .passed_over = passed_over };

	read_actor(&frame.actor, task);
	begin_frame(&frame.header, FRAME_FLOOD, sizeof(frame));
	emit(&frame, sizeof(frame));
}

/*
 * Whether one more event of that cgroup may be told of. Where not, `flooded` is set when it is time to say so. Races between
 * CPUs cost a token more or less, and no more.
 */
static __always_inline bool takes_share(__u64 key, struct share **flooded)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct share *share = bpf_map_lookup_elem(&shares, &key);

	if (!share) {
		struct share fresh = { .filled = now, .tokens = settings.burst - 1 };

		bpf_map_update_elem(&shares, &key, &fresh, BPF_NOEXIST);
		return true;
	}
	__u64 passed = now > share->filled ? now - share->filled : 0;
	if (passed > SECOND / 100) {
		__s64 added = (passed > SECOND ? SECOND : passed) * settings.rate / SECOND;
		__s64 tokens = share->tokens + added;

		share->filled = now;
		share->tokens = tokens > settings.burst ? settings.burst : tokens;
	}
	if (share->tokens > 0) {
		__sync_fetch_and_add(&share->tokens, -1);
		return true;
	}
	__sync_fetch_and_add(&share->passed_over, 1);
	count_loss(LOSS_LIMITED);
	if (now - share->told > SECOND) {
		share->told = now;
		*flooded = share;
	}
	return false;
}

static __always_inline bool has_share(struct task_struct *task)
{
	struct share *flooded = 0;

	if (takes_share(cgroup_number(task), &flooded))
		return true;
	if (flooded)
		tell_flood(task, flooded->passed_over);
	return false;
}

#endif
