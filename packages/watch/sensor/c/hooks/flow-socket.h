/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets of containers: who makes them, how their connections begin and end. */

SEC("cgroup/sock_create")
int flow_socket(struct bpf_sock *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct flow_owner *owner;

	if ((context->family != AF_INET && context->family != AF_INET6) || !is_told(task))
		return 1;
	owner = bpf_sk_storage_get(&flow_owners, context, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (owner)
		fill_owner(owner, task, BPF_CORE_READ(task, nsproxy, net_ns, ns.inum));
	else
		count_loss(LOSS_FLOWS);
	return 1;
}

/* Those that are there when the sensor starts. Of a connection it is not known then who began it. */
SEC("iter/task_file")
int flow_snapshot(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct socket *socket;
	struct flow_owner *owner;
	struct sock *sk;

	if (!task || !file || !is_told(task))
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : 0;
	if (!sk || (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6))
		return 0;
	owner = bpf_sk_storage_get(&flow_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner) {
		count_loss(LOSS_FLOWS);
	} else if (!owner->pid) {
		fill_owner(owner, task, BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum));
		owner->looked = LOOKED_OUT | LOOKED_IN;
		if (sk->__sk_common.skc_state == TCP_LISTEN)
			owner->role = FLOW_SERVER;
	}
	return 0;
}

static __always_inline void key_of_socket(struct flow_key *key, __u8 *local, __u16 *client_port, struct sock *sk,
					  const struct flow_owner *owner)
{
	struct frame_socket ends = {};

	read_socket(&ends, sk);
	key_of(key, owner, IPPROTO_TCP, owner->role == FLOW_CLIENT ? ends.remote_port : ends.local_port);
	*client_port = owner->role == FLOW_CLIENT ? ends.local_port : ends.remote_port;
	if (ends.family == AF_INET) {
		map_v4(key->remote, ends.remote);
		map_v4(local, ends.local);
	} else {
		__builtin_memcpy(key->remote, ends.remote, 16);
		__builtin_memcpy(local, ends.local, 16);
	}
}

/*
 * net/ipv4/af_inet.c, inet_sk_set_state(). A connection is begun in connect(2), by the task that runs; it is established or
 * it ends, with the error that the program is about to get: ECONNREFUSED where the peer said no, another or none (the program
 * gave up) where nobody answered. One that is taken has the storage of its listener.
 */
SEC("tp_btf/inet_sock_set_state")
int flow_state(__u64 *arguments)
{
	struct sock *sk = (void *)arguments[0];
	int from = arguments[1], to = arguments[2];
	struct task_struct *task = (void *)bpf_get_current_task();
	struct flow_key key = {};
	struct flow_owner *owner;
	struct flow *flow;
	__u8 local[16] = {};
	__u16 client_port = 0;
	bool begins = from == TCP_CLOSE && to == TCP_SYN_SENT;
	bool answers = from == TCP_SYN_SENT && to == TCP_ESTABLISHED;
	bool fails = from == TCP_SYN_SENT && to == TCP_CLOSE;
	bool takes = from == TCP_SYN_RECV && to == TCP_ESTABLISHED;

	if ((!begins && !answers && !fails && !takes && to != TCP_LISTEN) || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	owner = bpf_sk_storage_get(&flow_owners, sk, 0, 0);
	if (!owner)
		return 0;
	if (begins || to == TCP_LISTEN) {
		fill_owner(owner, task, owner->network_namespace);
		owner->role = begins ? FLOW_CLIENT : FLOW_SERVER;
		owner->looked = 0;
	}
	if (takes)
		owner->role = FLOW_SERVER;
	if (to == TCP_LISTEN)
		return 0;
	key_of_socket(&key, local, &client_port, sk, owner);
	__u64 now = bpf_ktime_get_boot_ns();
	flow = flow_of(&key, now);
	if (!flow)
		return 0;
	tell_owner(flow, owner, now);
	if (begins || takes)
		__sync_fetch_and_add(&flow->begun, 1);
	if (answers || takes)
		__sync_fetch_and_add(&flow->established, 1);
	if (fails)
		__sync_fetch_and_add(sk->sk_err == ECONNREFUSED ? &flow->refused : &flow->timed_out, 1);
	if (begins)
		return 0;
	/* Only now has the kernel chosen address and port. */
	__builtin_memcpy(flow->local, local, sizeof(flow->local));
	/* None is left where it failed. */
	if (client_port == 0)
		return 0;
	if (!flow->first_client_port)
		flow->first_client_port = client_port;
	flow->client_port = client_port;
	return 0;
}
