/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who a socket is of, and where what it sends and receives is counted. */
#ifndef BULWARK_KERNEL_FLOW_H
#define BULWARK_KERNEL_FLOW_H

#include "../flow.h"

/* What a socket of TCP counts itself: payload once, however often it was sent. */
struct tcp_counters {
	__u64 bytes_out, bytes_in;
	__u32 packets_out, packets_in;
};

/*
 * Kept with the socket itself, from its making to its end: packets come outside of any process. What accept(2) gives has a
 * copy of its listener's. Sockets that are not told of have none.
 */
struct flow_owner {
	__u64 start_time;
	__u64 cgroup;
	struct tcp_counters told; /* what of them is in flows already */
	__u32 pid; /* 0: of TCP, not known before it connects or listens */
	__u32 network_namespace;
	char name[16];
	__u16 local_port; /* of TCP; the kernel takes it from the socket before it is closed */
	__u8 role;
	__u8 looked; /* in which directions the first bytes were seen: enum looked */
	bool is_tcp;
	__u8 reserved[3];
};
enum looked { LOOKED_OUT = 1, LOOKED_IN = 2 };
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct flow_owner);
} flow_owners SEC(".maps");

struct flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FLOWS);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows_even SEC(".maps"), flows_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} flow_turn SEC(".maps");

/* How many flows a network namespace has in which turn. */
struct flow_share {
	__u32 turn;
	__u32 used;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct flow_share);
} flow_shares SEC(".maps");

static __always_inline void fill_owner(struct flow_owner *owner, struct task_struct *task, __u32 network_namespace)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	owner->start_time = BPF_CORE_READ(leader, start_boottime);
	owner->cgroup = BPF_CORE_READ(cgroup_node(task), id);
	owner->pid = process_number(task);
	owner->network_namespace = network_namespace;
	/* The name of the program's file, which a process cannot change as it can its own. */
	__builtin_memset(owner->name, 0, sizeof(owner->name));
	bpf_probe_read_kernel_str(owner->name, sizeof(owner->name), BPF_CORE_READ(leader, mm, exe_file, f_path.dentry, d_name.name));
}

static __always_inline bool takes_flow_share(__u32 network_namespace, __u32 turn)
{
	struct flow_share *share = bpf_map_lookup_elem(&flow_shares, &network_namespace);

	if (!share) {
		struct flow_share fresh = { .turn = turn, .used = 1 };

		bpf_map_update_elem(&flow_shares, &network_namespace, &fresh, BPF_ANY);
		return true;
	}
	if (share->turn != turn) {
		share->turn = turn;
		share->used = 0;
	}
	return __sync_fetch_and_add(&share->used, 1) < FLOWS_A_NAMESPACE;
}

static __always_inline __u32 this_turn(void)
{
	__u32 zero = 0, *turn = bpf_map_lookup_elem(&flow_turn, &zero);

	return turn ? *turn : 0;
}

/* Where a flow is counted in this turn; none where there is no room, which is counted. */
static __always_inline struct flow *flow_of(const struct flow_key *key, __u64 now)
{
	__u32 this = this_turn();
	struct flow *flow;

	flow = this & 1 ? bpf_map_lookup_elem(&flows_odd, key) : bpf_map_lookup_elem(&flows_even, key);
	if (flow)
		return flow;
	struct flow fresh = { .first = now };
	if (takes_flow_share(key->network_namespace, this)) {
		if (this & 1)
			bpf_map_update_elem(&flows_odd, key, &fresh, BPF_NOEXIST);
		else
			bpf_map_update_elem(&flows_even, key, &fresh, BPF_NOEXIST);
		flow = this & 1 ? bpf_map_lookup_elem(&flows_odd, key) : bpf_map_lookup_elem(&flows_even, key);
	}
	if (!flow)
		count_loss(LOSS_FLOWS);
	return flow;
}

static __always_inline void key_of(struct flow_key *key, const struct flow_owner *owner, __u8 protocol, __u16 port)
{
	key->cgroup = owner->cgroup;
	key->network_namespace = owner->network_namespace;
	key->protocol = protocol;
	key->port = port;
	key->role = owner->role;
	__builtin_memcpy(key->name, owner->name, sizeof(key->name));
}

/* Nothing is written that is there already, or was a moment ago: packets come from more than one CPU. */
#define LAST_NS 1000000ull
static __always_inline void tell_owner(struct flow *flow, const struct flow_owner *owner, __u64 now)
{
	if (now - flow->last >= LAST_NS)
		flow->last = now;
	if (flow->start_time == owner->start_time && flow->pid == owner->pid)
		return;
	flow->pid = owner->pid;
	flow->start_time = owner->start_time;
}

static __always_inline bool is_none(const __u8 *address)
{
	const __u64 *words = (const void *)address;

	return words[0] == 0 && words[1] == 0;
}

static __always_inline bool is_same(const __u8 *address, const __u8 *other)
{
	const __u64 *words = (const void *)address, *others = (const void *)other;

	return words[0] == others[0] && words[1] == others[1];
}

/* None is left of what failed or is closed. */
static __always_inline void tell_ends(struct flow *flow, const __u8 *local, __u16 client_port)
{
	if (!is_none(local) && !is_same(flow->local, local))
		__builtin_memcpy(flow->local, local, sizeof(flow->local));
	if (client_port == 0 || flow->client_port == client_port)
		return;
	if (!flow->first_client_port)
		flow->first_client_port = client_port;
	flow->client_port = client_port;
}

#endif
