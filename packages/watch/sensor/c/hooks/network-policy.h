/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policies, at the sockets of the pods that they are about: what begins is judged, by the peer's address and the
 * port; what goes on is let through. Of TCP, a packet with SYN and without ACK begins; of the other protocols, one to or from
 * somebody with whom the pod did not speak in the last minute. ICMP is not judged.
 *
 * Attached to the root of the cgroups, and only while there is a table.
 */
#include "../nettable.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NET_PREFIXES);
	__type(key, struct net_prefix);
	__type(value, __u32);
} net_prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NET_CELLS);
	__type(key, struct net_cell);
	__type(value, __u32);
} net_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NET_SETS);
	__type(key, struct net_set);
	__type(value, struct net_ports);
} net_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NET_PODS);
	__type(key, __u64);
	__type(value, struct net_pod);
} net_pods SEC(".maps");

/*
 * Who speaks with whom without connections, and when last: what was allowed to begin may be answered. Under another table it
 * is asked again whether it might begin.
 */
struct talk_state {
	__u64 last;
	__u32 table;
	__u32 left; /* its first packet did */
};
struct talk {
	__u64 cgroup;
	__u16 local_port, remote_port;
	__u32 protocol;
	__u8 local[16], remote[16];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NET_TALKS);
	__type(key, struct talk);
	__type(value, struct talk_state);
} net_talks SEC(".maps");
#define TALK_NS 60000000000ull

static __always_inline bool opens(const struct net_ports *ports, __u8 protocol, __u16 port)
{
	for (__u32 i = 0; i < NET_RANGES && i < ports->used; i++)
		if (ports->ranges[i].protocol == protocol && port >= ports->ranges[i].first && port <= ports->ranges[i].last)
			return true;
	return false;
}

/* Addresses that no prefix has are of a table that is not whole: closed. */
static __always_inline bool lets(const struct net_pod *pod, __u32 row, const __u8 *remote, __u8 protocol, __u16 port)
{
	struct net_prefix prefix = { .bits = 160, .table = pod->table };
	struct net_cell cell = { .table = pod->table, .row = row };
	struct net_set set = { .table = pod->table };
	struct net_ports *ports;
	__u32 *found;

	__builtin_memcpy(prefix.address, remote, 16);
	found = bpf_map_lookup_elem(&net_prefixes, &prefix);
	if (!found)
		return false;
	cell.class = *found;
	found = bpf_map_lookup_elem(&net_cells, &cell);
	if (!found)
		return false;
	if (*found == NET_ALL_PORTS)
		return true;
	set.set = *found;
	ports = bpf_map_lookup_elem(&net_sets, &set);
	return ports && opens(ports, protocol, port);
}

/* inet(7): no address is the machine itself, which no policy is about. */
static __always_inline bool is_own(const __u8 *address)
{
	const __u32 *words = (const void *)address;

	if (words[0] || words[1])
		return false;
	if (words[2] == V4_MAPPED)
		return address[12] == 127 || words[3] == 0;
	return words[2] == 0 && (words[3] == 0 || words[3] == HOST_WORD(1));
}

/* Beside what the flow does otherwise: a connection counts once, however often it is tried. */
static __always_inline void count_denied(void *sk, const struct segment *segment, enum net_direction direction)
{
	struct flow_owner *owner = bpf_sk_storage_get(&flow_owners, sk, 0, 0);
	struct flow_key key = {};
	struct flow *flow;

	if (!owner)
		return;
	__u64 now = bpf_ktime_get_boot_ns();
	__u8 role = owner->role;
	if (role == FLOW_UNKNOWN)
		role = direction == NET_EGRESS ? FLOW_CLIENT : FLOW_SERVER;
	__u16 client_port = role == FLOW_CLIENT ? segment->local_port : segment->remote_port;
	key_of(&key, owner, segment->protocol, role == FLOW_CLIENT ? segment->remote_port : segment->local_port);
	key.role = role;
	__builtin_memcpy(key.remote, segment->remote, sizeof(key.remote));
	flow = flow_of(&key, now);
	if (!flow)
		return;
	tell_owner(flow, owner, now);
	if (!is_none(segment->local))
		__builtin_memcpy(flow->local, segment->local, sizeof(flow->local));
	flow->policy = direction;
	if (flow->denied > 0 && client_port != 0 && flow->client_port == client_port)
		return;
	__sync_fetch_and_add(&flow->denied, 1);
	if (client_port != 0)
		flow->client_port = client_port;
}

static __always_inline int judge_begin(struct bpf_sock_addr *context, struct segment *segment)
{
	struct kernfs_node *node = cgroup_node((void *)bpf_get_current_task());

	if ((context->type != SOCK_STREAM && context->type != SOCK_DGRAM) || is_own(segment->remote))
		return 1;
	segment->protocol = context->protocol;
	segment->remote_port = __builtin_bswap16((__u16)context->user_port);
	if (!has_ports(segment->protocol))
		return 1;
	for (int i = 0; i < CGROUP_DEPTH && node; i++, node = kernfs_parent(node)) {
		__u64 cgroup = BPF_CORE_READ(node, id);
		struct net_pod *pod = bpf_map_lookup_elem(&net_pods, &cgroup);

		if (!pod)
			continue;
		if (pod->egress == 0 || lets(pod, pod->egress, segment->remote, segment->protocol, segment->remote_port))
			return 1;
		/* An answer to somebody who was let in. */
		if (segment->protocol != IPPROTO_TCP && context->type == SOCK_DGRAM)
			return 1;
		if (context->sk) {
			struct flow_owner *owner = bpf_sk_storage_get(&flow_owners, context->sk, 0, 0);

			/* It does not come to a connection, at which that would be done. */
			if (owner && !owner->pid)
				fill_owner(owner, (void *)bpf_get_current_task(), owner->network_namespace);
			count_denied(context->sk, segment, NET_EGRESS);
		}
		return 0;
	}
	return 1;
}

SEC("cgroup/connect4")
int net_connect4(struct bpf_sock_addr *context)
{
	struct segment segment = {};
	__u32 address = context->user_ip4;

	map_v4(segment.remote, &address);
	return judge_begin(context, &segment);
}

SEC("cgroup/connect6")
int net_connect6(struct bpf_sock_addr *context)
{
	struct segment segment = {};
	__u32 address[4] = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3] };

	__builtin_memcpy(segment.remote, address, sizeof(address));
	return judge_begin(context, &segment);
}

static __always_inline bool may_begin(const struct net_pod *pod, const struct segment *segment, bool leaves)
{
	__u32 row = leaves ? pod->egress : pod->ingress;

	return row == 0 ||
	       lets(pod, row, segment->remote, segment->protocol, leaves ? segment->remote_port : segment->local_port);
}

static __always_inline bool goes_on(const struct net_pod *pod, const struct segment *segment, const struct talk *talk, __u64 now)
{
	struct talk_state *state = bpf_map_lookup_elem(&net_talks, talk);

	if (!state || now - state->last > TALK_NS || (state->table != pod->table && !may_begin(pod, segment, state->left)))
		return false;
	/* Packets come from more than one CPU: nothing is written that is as good as there. */
	if (now - state->last > TALK_NS / 60)
		state->last = now;
	if (state->table != pod->table)
		state->table = pod->table;
	return true;
}

/* Every packet is asked this. */
static __always_inline bool goes_on_in_tcp(struct __sk_buff *skb)
{
	__u8 *tcp = tcp_header(skb);

	return tcp && !is_beginning(tcp[13]);
}

static __always_inline int judge_segment(struct __sk_buff *skb, bool leaves)
{
	struct bpf_sock *sk = skb->sk;
	struct segment segment = {};
	struct net_pod *pod = 0;
	__u64 cgroup = 0;

	if (goes_on_in_tcp(skb))
		return 1;
	sk = sk ? bpf_sk_fullsock(sk) : 0;
	if (!read_segment(skb, leaves, &segment) || is_own(segment.remote))
		return 1;
	if (segment.protocol != NO_PROTOCOL && !has_ports(segment.protocol))
		return 1;
	if (segment.protocol == IPPROTO_TCP && !is_beginning(segment.tcp_flags))
		return 1;
	/* The container's own cgroup may be some levels below the pod's. */
	for (int level = 1; level < CGROUP_DEPTH && !pod; level++) {
		cgroup = bpf_skb_ancestor_cgroup_id(skb, level);
		if (cgroup == 0)
			break;
		pod = bpf_map_lookup_elem(&net_pods, &cgroup);
	}
	if (!pod)
		return 1;
	__u64 now = bpf_ktime_get_boot_ns();
	struct talk_state state = { .last = now, .table = pod->table, .left = leaves };
	struct talk talk = {
		.cgroup = cgroup,
		.local_port = segment.local_port,
		.remote_port = segment.remote_port,
		.protocol = segment.protocol,
	};
	__builtin_memcpy(talk.local, segment.local, 16);
	__builtin_memcpy(talk.remote, segment.remote, 16);
	bool is_talk = segment.protocol != IPPROTO_TCP && (pod->egress || pod->ingress);
	if (is_talk && goes_on(pod, &segment, &talk, now))
		return 1;
	if (may_begin(pod, &segment, leaves)) {
		if (is_talk)
			bpf_map_update_elem(&net_talks, &talk, &state, BPF_ANY);
		return 1;
	}
	if (sk)
		count_denied(sk, &segment, leaves ? NET_EGRESS : NET_INGRESS);
	return 0;
}

SEC("cgroup_skb/egress")
int net_egress(struct __sk_buff *skb)
{
	return judge_segment(skb, true);
}

SEC("cgroup_skb/ingress")
int net_ingress(struct __sk_buff *skb)
{
	return judge_segment(skb, false);
}
