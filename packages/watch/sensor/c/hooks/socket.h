/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the cgroup hooks of sockets tell: datagrams to a peer (connect(2) and sendmsg(2) of UDP), local addresses that
 * were taken (bind(2)), and Unix sockets that were connected to, by the name that connect(2) was given. They run in the
 * context of the caller. All return 1: allowed.
 */

/* A process that sends to the same peer again within this time is told of once. */
#define PEER_NS 10000000000ull

struct peer {
	__u64 start_time;
	__u32 pid;
	__u32 port;
	__u32 address[4];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct peer);
	__type(value, __u64);
} peers SEC(".maps");

static __always_inline void emit_socket(struct frame_socket_event *frame)
{
	begin_frame(&frame->header, FRAME_SOCKET, sizeof(*frame));
	emit(frame, sizeof(*frame));
}

static __always_inline int on_datagram(struct bpf_sock_addr *context, __u16 family)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (context->type != SOCK_DGRAM || !is_told(task))
		return 1;
	struct peer peer = { .port = context->user_port };
	if (family == AF_INET) {
		peer.address[0] = context->user_ip4;
	} else {
		peer.address[0] = context->user_ip6[0];
		peer.address[1] = context->user_ip6[1];
		peer.address[2] = context->user_ip6[2];
		peer.address[3] = context->user_ip6[3];
	}
	peer.pid = process_number(task);
	peer.start_time = READ(task, group_leader, start_boottime);
	bool asks = settings.tells_names && peer.port == __builtin_bswap16(DNS_PORT) && context->sk;
	__u64 now = bpf_ktime_get_boot_ns(), *before = bpf_map_lookup_elem(&peers, &peer);
	bool is_told_of = before && now - *before < PEER_NS;
	if (is_told_of && !asks)
		return 1;
	struct frame_socket_event frame = {
		.operation = SOCKET_SEND,
		.kind = context->type,
		.protocol = context->protocol,
		.socket.family = family,
	};
	read_actor(&frame.actor, task);
	if (asks)
		note_asker(context->sk, &frame.actor, task);
	if (is_told_of)
		return 1;
	bpf_map_update_elem(&peers, &peer, &now, BPF_ANY);
	if (!has_share(task))
		return 1;
	frame.socket.remote_port = __builtin_bswap16((__u16)peer.port);
	__builtin_memcpy(frame.socket.remote, peer.address, sizeof(peer.address));
	emit_socket(&frame);
	return 1;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context)
{
	return on_datagram(context, AF_INET);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context)
{
	return on_datagram(context, AF_INET6);
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *context)
{
	return on_datagram(context, AF_INET);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *context)
{
	return on_datagram(context, AF_INET6);
}

static __always_inline int on_bind(struct bpf_sock *context, __u16 family)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct frame_socket_event frame = {
		.operation = SOCKET_BIND,
		.kind = context->type,
		.protocol = context->protocol,
		.socket.family = family,
		.socket.local_port = context->src_port,
	};

	if (!is_told(task) || !has_share(task))
		return 1;
	if (family == AF_INET) {
		__u32 address = context->src_ip4;
		__builtin_memcpy(frame.socket.local, &address, sizeof(address));
	} else {
		__u32 address[4] = { context->src_ip6[0], context->src_ip6[1], context->src_ip6[2], context->src_ip6[3] };
		__builtin_memcpy(frame.socket.local, address, sizeof(address));
	}
	read_actor(&frame.actor, task);
	emit_socket(&frame);
	return 1;
}

SEC("cgroup/post_bind4")
int on_bind4(struct bpf_sock *context)
{
	return on_bind(context, AF_INET);
}

SEC("cgroup/post_bind6")
int on_bind6(struct bpf_sock *context)
{
	return on_bind(context, AF_INET6);
}
