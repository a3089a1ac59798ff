/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * net/ipv4/af_inet.c, inet_sk_set_state().
 *
 * CLOSE to SYN_SENT is connect(2) by the task that runs. Its local port is not chosen yet (inet_hash_connect() follows)
 * and 0 unless it was bound.
 *
 * To LISTEN is listen(2) by the task that runs.
 *
 * SYN_RECV to ESTABLISHED is a connection to a listener. The kernel does it when the last packet of the handshake comes
 * in, in the context of whatever runs then (on loopback: the client), so the process is not known and is 0. Of a
 * container is what has a network namespace other than the host's. A container in the host's network cannot be told
 * from the host here; its accepted connections are not told of.
 */
SEC("tp_btf/inet_sock_set_state")
int on_socket_state(__u64 *arguments)
{
	const struct sock *sk = (void *)arguments[0];
	int from = arguments[1], to = arguments[2];
	struct task_struct *task = (void *)bpf_get_current_task();
	bool connects = from == TCP_CLOSE && to == TCP_SYN_SENT;
	bool accepts = from == TCP_SYN_RECV && to == TCP_ESTABLISHED;
	bool listens = to == TCP_LISTEN;

	if ((!connects && !accepts && !listens) || READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	struct frame_socket_event frame = {};
	__u32 network_namespace = READ(sk, __sk_common.skc_net.net, ns.inum);
	if (connects || listens) {
		if (!is_wanted(task))
			return 0;
		read_actor(&frame.actor, task);
	} else if (!settings.include_host && is_network_of_host(network_namespace)) {
		return 0;
	}
	frame.actor.network_namespace = network_namespace;
	frame.operation = listens ? SOCKET_LISTEN : 0;
	frame.kind = SOCK_STREAM;
	frame.protocol = IPPROTO_TCP;
	read_socket(&frame.socket, sk);
	/* inet_sk_state_store() follows the tracepoint: the socket still has its old state. */
	frame.socket.state = to;
	if (listens)
		frame.socket.remote_port = 0;
	begin_frame(&frame.header, listens ? FRAME_SOCKET : connects ? FRAME_CONNECT : FRAME_ACCEPT, sizeof(frame));
	emit(&frame, sizeof(frame));
	return 0;
}
