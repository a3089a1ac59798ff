/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What became of a TCP connection that a process made: that it was established, and that it ended. Only where it is asked
 * for. The kernel does both in the context of whatever runs then, so who connected is kept by the socket.
 */
struct course {
	struct frame_actor actor;
	__u64 local_port; /* given back before the end is told of */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* struct sock * */
	__type(value, struct course);
} courses SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int on_course(__u64 *arguments)
{
	const struct sock *sk = (void *)arguments[0];
	int from = arguments[1], to = arguments[2];
	struct task_struct *task = (void *)bpf_get_current_task();
	struct frame_socket_event frame = { .kind = SOCK_STREAM, .protocol = IPPROTO_TCP };
	__u64 key = arguments[0];

	if ((to != TCP_SYN_SENT && to != TCP_ESTABLISHED && to != TCP_CLOSE) || READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	if (to == TCP_SYN_SENT) {
		if (!is_wanted(task))
			return 0;
		struct course begun = {};

		read_actor(&begun.actor, task);
		begun.actor.network_namespace = READ(sk, __sk_common.skc_net.net, ns.inum);
		bpf_map_update_elem(&courses, &key, &begun, BPF_ANY);
		return 0;
	}
	struct course *course = bpf_map_lookup_elem(&courses, &key);
	if (!course)
		return 0;
	frame.operation = to == TCP_CLOSE ? SOCKET_CLOSED : SOCKET_ESTABLISHED;
	frame.actor = course->actor;
	read_socket(&frame.socket, sk);
	/* As told in connection.h. */
	frame.socket.state = to;
	if (to == TCP_CLOSE) {
		frame.socket.local_port = course->local_port;
		bpf_map_delete_elem(&courses, &key);
		/* It never was one. */
		if (from == TCP_SYN_SENT)
			return 0;
	} else {
		course->local_port = frame.socket.local_port;
	}
	emit_socket(&frame);
	return 0;
}
