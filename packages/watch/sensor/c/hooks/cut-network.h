/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Refuses connections and datagrams to some peers (POLICY_CONNECT), or all packets of both directions but those to and from
 * some peers (POLICY_QUARANTINE). Attached to the cgroup of a container, and only while there is a policy for it, so
 * that nobody else pays.
 *
 * The first line is connect(2), sendto(2) and sendmsg(2), which fail with EPERM. Behind it are the packets themselves:
 * raw sockets, protocols that have no such hook, and in quarantine connections that were there before.
 */
#define HOST_WORD(value) __builtin_bswap32(value)
#define V4_MAPPED HOST_WORD(0x0000ffff)

struct far_end {
	__u32 address[4];
	__u16 port;
	bool has_port;
	bool is_v4;
};

static __always_inline bool has_peer(const struct peer_rule *rule, const struct far_end *peer)
{
	if (rule->is_v4 != peer->is_v4)
		return false;
	for (int i = 0; i < 4; i++)
		if ((peer->address[i] & rule->mask[i]) != rule->address[i])
			return false;
	if (rule->first_port == 0 && rule->last_port == 0xffff)
		return true;
	/* A packet whose port is not to be seen, such as the second part of one, is taken for what is refused. */
	return peer->has_port ? peer->port >= rule->first_port && peer->port <= rule->last_port : !rule->allows;
}

/* Global for the reason told at write_path(). */
__attribute__((noinline)) int is_allowed(const struct policy *policy, const struct far_end *peer, bool by_default)
{
	if (!policy || !peer)
		return 1;
	for (__u32 i = 0; i < POLICY_RULES && i < policy->rules_used; i++)
		if (has_peer(&policy->rules[i], peer))
			return policy->rules[i].allows;
	return by_default;
}

/* inet(7): no address is the machine itself. ::ffff:a.b.c.d on a socket for both is IPv4. */
static __always_inline void set_v4(struct far_end *peer, __u32 address)
{
	peer->address[0] = peer->address[1] = 0;
	peer->address[2] = V4_MAPPED;
	peer->address[3] = address ? address : HOST_WORD(0x7f000001);
	peer->is_v4 = true;
}

static __always_inline void set_v6(struct far_end *peer, __u32 a, __u32 b, __u32 c, __u32 d)
{
	if (a == 0 && b == 0 && c == V4_MAPPED) {
		set_v4(peer, d);
		return;
	}
	peer->address[0] = a;
	peer->address[1] = b;
	peer->address[2] = c;
	peer->address[3] = (a | b | c | d) == 0 ? HOST_WORD(1) : d;
	peer->is_v4 = false;
}

/* 0: refused with EPERM. */
static __always_inline int judge_call(const struct far_end *peer)
{
	struct kernfs_node *node = cgroup_node((void *)bpf_get_current_task());

	for (int i = 0; i < CGROUP_DEPTH && node; i++, node = kernfs_parent(node)) {
		__u64 cgroup = READ(node, id);
		struct policy *policy = policy_of(cgroup, POLICY_CONNECT);

		if (policy && !is_allowed(policy, peer, true) && refuse(policy, &policy->prevented))
			return 0;
		policy = policy_of(cgroup, POLICY_QUARANTINE);
		if (policy && !is_allowed(policy, peer, false) && refuse(policy, &policy->prevented))
			return 0;
	}
	return 1;
}

static __always_inline int judge_v4(struct bpf_sock_addr *context)
{
	struct far_end peer = { .port = __builtin_bswap16((__u16)context->user_port), .has_port = true };

	set_v4(&peer, context->user_ip4);
	return judge_call(&peer);
}

static __always_inline int judge_v6(struct bpf_sock_addr *context)
{
	struct far_end peer = { .port = __builtin_bswap16((__u16)context->user_port), .has_port = true };

	set_v6(&peer, context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3]);
	return judge_call(&peer);
}

SEC("cgroup/connect4")
int cut_connect4(struct bpf_sock_addr *context)
{
	return judge_v4(context);
}

SEC("cgroup/connect6")
int cut_connect6(struct bpf_sock_addr *context)
{
	return judge_v6(context);
}

SEC("cgroup/sendmsg4")
int cut_sendmsg4(struct bpf_sock_addr *context)
{
	return judge_v4(context);
}

SEC("cgroup/sendmsg6")
int cut_sendmsg6(struct bpf_sock_addr *context)
{
	return judge_v6(context);
}

/* Packet sockets send past the hooks of packets below. */
SEC("cgroup/sock_create")
int cut_socket(struct bpf_sock *context)
{
	struct kernfs_node *node = cgroup_node((void *)bpf_get_current_task());

	if (context->family != AF_PACKET)
		return 1;
	for (int i = 0; i < CGROUP_DEPTH && node; i++, node = kernfs_parent(node)) {
		struct policy *policy = policy_of(READ(node, id), POLICY_QUARANTINE);

		if (policy && refuse(policy, &policy->prevented))
			return 0;
	}
	return 1;
}

struct packet {
	struct far_end peer;
	bool starts; /* it begins something, as far as can be told: not of a TCP connection that is there */
};

/* RFC 791, RFC 8200, RFC 9293; the network header is at the beginning. False: it is neither IPv4 nor IPv6. */
static __always_inline bool read_packet(struct __sk_buff *skb, bool leaves, struct packet *packet)
{
	__u8 first = 0, protocol = 0, flags = 0;
	__u32 address[4] = {}, ports_at;
	__u16 fragment = 0, port;

	if (skb->protocol == __builtin_bswap16(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, &first, 1) || bpf_skb_load_bytes(skb, 6, &fragment, 2) ||
		    bpf_skb_load_bytes(skb, 9, &protocol, 1) || bpf_skb_load_bytes(skb, leaves ? 16 : 12, address, 4))
			return false;
		ports_at = (first & 15) * 4;
		set_v4(&packet->peer, address[0]);
	} else if (skb->protocol == __builtin_bswap16(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, 6, &protocol, 1) || bpf_skb_load_bytes(skb, leaves ? 24 : 8, address, 16))
			return false;
		ports_at = 40;
		set_v6(&packet->peer, address[0], address[1], address[2], address[3]);
	} else {
		return false;
	}
	packet->starts = true;
	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || (fragment & __builtin_bswap16(0x1fff)))
		return true;
	if (bpf_skb_load_bytes(skb, ports_at + (leaves ? 2 : 0), &port, 2) == 0) {
		packet->peer.port = __builtin_bswap16(port);
		packet->peer.has_port = true;
	}
	if (protocol == IPPROTO_TCP && bpf_skb_load_bytes(skb, ports_at + 13, &flags, 1) == 0)
		packet->starts = is_beginning(flags);
	return true;
}

/* 0: dropped. What cannot be read is dropped in quarantine only. */
static __always_inline int judge_packet(struct __sk_buff *skb, bool leaves)
{
	struct packet packet = {};
	bool is_read = read_packet(skb, leaves, &packet);

	for (int level = 1; level < CGROUP_DEPTH; level++) {
		__u64 cgroup = bpf_skb_ancestor_cgroup_id(skb, level);

		if (cgroup == 0)
			break;
		struct policy *policy = policy_of(cgroup, POLICY_QUARANTINE);
		if (policy && !(is_read && is_allowed(policy, &packet.peer, false)) && refuse(policy, &policy->caught))
			return 0;
		policy = leaves && is_read && packet.starts ? policy_of(cgroup, POLICY_CONNECT) : 0;
		if (policy && !is_allowed(policy, &packet.peer, true) && refuse(policy, &policy->caught))
			return 0;
	}
	return 1;
}

SEC("cgroup_skb/egress")
int cut_egress(struct __sk_buff *skb)
{
	return judge_packet(skb, true);
}

SEC("cgroup_skb/ingress")
int cut_ingress(struct __sk_buff *skb)
{
	return judge_packet(skb, false);
}
