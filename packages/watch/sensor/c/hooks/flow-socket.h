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
	if (!owner) {
		count_loss(LOSS_FLOWS);
		return 1;
	}
	owner->is_tcp = context->protocol == IPPROTO_TCP;
	owner->network_namespace = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	/* Of TCP it is who connects or listens (flow_state). */
	if (!owner->is_tcp)
		fill_owner(owner, task, owner->network_namespace);
	return 1;
}

/*
 * A connection that was there before we looked: the lower port is the server's, as the client's is chosen from the upper ones.
 */
static __always_inline __u8 role_by_ports(__u16 local, __u16 remote)
{
	return remote < local ? FLOW_CLIENT : FLOW_SERVER;
}

static __always_inline void key_of_socket(struct flow_key *key, __u8 *local, __u16 *client_port, struct sock *sk,
					  struct flow_owner *owner)
{
	struct sock_common *common = &sk->__sk_common;
	__u16 remote_port = __builtin_bswap16(common->skc_dport);

	if (common->skc_num)
		owner->local_port = common->skc_num;
	if (owner->role == FLOW_UNKNOWN)
		owner->role = role_by_ports(owner->local_port, remote_port);
	bool is_client = owner->role == FLOW_CLIENT;
	key_of(key, owner, IPPROTO_TCP, is_client ? remote_port : owner->local_port);
	*client_port = is_client ? owner->local_port : remote_port;
	if (common->skc_family == AF_INET) {
		__be32 far = common->skc_daddr, near = common->skc_rcv_saddr;

		map_v4(key->remote, &far);
		map_v4(local, &near);
	} else {
		bpf_core_read(key->remote, 16, &common->skc_v6_daddr);
		bpf_core_read(local, 16, &common->skc_v6_rcv_saddr);
	}
}

static __always_inline void read_counters(struct tcp_counters *counters, const struct tcp_sock *tcp)
{
	/* In this order: what is sent again meanwhile is counted as sent first (net/ipv4/tcp_output.c). */
	__u64 again = tcp->bytes_retrans, sent = tcp->bytes_sent;
	counters->bytes_out = sent > again ? sent - again : 0;
	counters->bytes_in = tcp->bytes_received;
	/* The end takes a number of its own, as if it were a byte. */
	if (counters->bytes_in && ((struct sock *)tcp)->__sk_common.skc_flags >> SOCK_DONE & 1)
		counters->bytes_in--;
	counters->packets_out = tcp->segs_out;
	counters->packets_in = tcp->segs_in;
}

/*
 * Moves what was counted since into `sum`. An end and a turn (flow_open) may do so at a time, of which each takes what the
 * other did not. Packets are counted by 32 bits, which come around.
 */
#define MOVE(sum, told, counted, type)                                                        \
	for (int tries = 0; tries < 4; tries++) {                                             \
		type before = *(volatile type *)(told), more = (type)(counted) - before;      \
                                                                                              \
		if (more == 0 || more >> (8 * sizeof(type) - 1))                              \
			break;                                                                \
		if (__sync_val_compare_and_swap(told, before, (type)(counted)) == before) {   \
			__sync_fetch_and_add(sum, more);                                      \
			break;                                                                \
		}                                                                             \
	}

#define HAS_PEER                                                                                                     \
	(1 << TCP_ESTABLISHED | 1 << TCP_SYN_SENT | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | \
	 1 << TCP_LAST_ACK | 1 << TCP_CLOSING)

/* What a connection counted itself is added to its flow. */
static __always_inline void count_connection(struct tcp_sock *tcp, struct flow_owner *owner, __u64 now)
{
	struct sock *sk = (struct sock *)tcp;
	struct tcp_counters counted, *told = &owner->told;
	struct flow_key key = {};
	struct flow *flow;
	__u8 local[16] = {};
	__u16 client_port = 0;

	if (!(1 << sk->__sk_common.skc_state & HAS_PEER))
		return;
	read_counters(&counted, tcp);
	if (counted.packets_out == told->packets_out && counted.packets_in == told->packets_in)
		return;
	key_of_socket(&key, local, &client_port, sk, owner);
	flow = flow_of(&key, now);
	if (!flow)
		return;
	MOVE(&flow->bytes_out, &told->bytes_out, counted.bytes_out, __u64);
	MOVE(&flow->bytes_in, &told->bytes_in, counted.bytes_in, __u64);
	MOVE(&flow->packets_out, &told->packets_out, counted.packets_out, __u32);
	MOVE(&flow->packets_in, &told->packets_in, counted.packets_in, __u32);
	tell_owner(flow, owner, now);
	tell_ends(flow, local, client_port);
}

/*
 * Whether a packet is one to tell it at, for connections that the walks over sockets (flow_sockets) do not find: inside of
 * others, or closed by their program and not at their end yet. Nothing is written for most: the two directions run on two
 * CPUs, and would wait for each other.
 */
#define SEGMENTS_A_TELLING 1024
static __always_inline bool is_due(const struct __sk_buff *skb, const struct tcp_sock *tcp, bool leaves)
{
	__u32 segments = skb->gso_segs > 1 ? skb->gso_segs : 1;

	return (leaves ? tcp->segs_out : tcp->segs_in + segments) % SEGMENTS_A_TELLING < segments;
}

/* The kernel makes it inside of another, as multipath TCP does its own: no flow_socket was asked. */
static __always_inline struct flow_owner *own_inner_socket(struct sock *sk, struct task_struct *task)
{
	struct flow_owner *owner = is_told(task) ? bpf_sk_storage_get(&flow_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;

	if (owner) {
		owner->is_tcp = true;
		owner->network_namespace = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	}
	return owner;
}

/*
 * net/ipv4/af_inet.c, inet_sk_set_state(). A connection is begun in connect(2), by the task that runs; it is established or
 * it ends, with the error that the program is about to get: ECONNREFUSED where the peer said no, another or none (the program
 * gave up) where nobody answered. One that is taken has the storage of its listener. Each is closed in the end, also one that
 * goes on as a socket in TIME_WAIT, of which nothing is told.
 */
SEC("tp_btf/inet_sock_set_state")
int flow_state(__u64 *arguments)
{
	struct sock *sk = (void *)arguments[0];
	int from = arguments[1], to = arguments[2];
	struct task_struct *task = (void *)bpf_get_current_task();
	struct flow_key key = {};
	struct flow_owner *owner;
	struct tcp_sock *tcp;
	struct flow *flow;
	__u8 local[16] = {};
	__u16 client_port = 0;
	bool begins = from == TCP_CLOSE && to == TCP_SYN_SENT;
	bool answers = from == TCP_SYN_SENT && to == TCP_ESTABLISHED;
	bool fails = from == TCP_SYN_SENT && to == TCP_CLOSE;
	bool takes = from == TCP_SYN_RECV && to == TCP_ESTABLISHED;
	bool ends = to == TCP_CLOSE && from != TCP_LISTEN;

	if ((!begins && !answers && !takes && !ends && to != TCP_LISTEN) || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	owner = bpf_sk_storage_get(&flow_owners, sk, 0, 0);
	if (!owner && (begins || to == TCP_LISTEN))
		owner = own_inner_socket(sk, task);
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!owner || !tcp)
		return 0;
	if (begins || to == TCP_LISTEN) {
		fill_owner(owner, task, owner->network_namespace);
		owner->role = begins ? FLOW_CLIENT : FLOW_SERVER;
		owner->looked = 0;
		read_counters(&owner->told, tcp);
	}
	if (to == TCP_LISTEN)
		return 0;
	if (takes) {
		owner->role = FLOW_SERVER;
		__builtin_memset(&owner->told, 0, sizeof(owner->told));
		/* But for the end of the handshake, which comes now: its beginning was counted where it passed the listener. */
		owner->told.packets_in = tcp->segs_in - 1;
	}
	__u64 now = bpf_ktime_get_boot_ns();
	if (ends)
		count_connection(tcp, owner, now);
	if (ends && !fails)
		return 0;
	key_of_socket(&key, local, &client_port, sk, owner);
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
	/* Only after the beginning has the kernel chosen address and port. */
	if (!begins)
		tell_ends(flow, local, client_port);
	return 0;
}

/*
 * Every socket that a process has: at the start, of connections of which it is not known then who began them; and then before
 * flows are read (flows.c), for what was counted since.
 */
SEC("iter/task_file")
int flow_sockets(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct flow_owner *owner;
	struct socket *socket;
	struct tcp_sock *tcp;
	struct sock *sk;

	if (!task || !file || !is_told(task))
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : 0;
	if (!sk || (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6))
		return 0;
	owner = bpf_sk_storage_get(&flow_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!owner) {
		count_loss(LOSS_FLOWS);
	} else if (owner->pid && tcp) {
		count_connection(tcp, owner, bpf_ktime_get_boot_ns());
	} else if (!owner->pid) {
		fill_owner(owner, task, BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum));
		owner->looked = LOOKED_OUT | LOOKED_IN;
		if (!tcp)
			return 0;
		owner->is_tcp = true;
		read_counters(&owner->told, tcp);
		if (sk->__sk_common.skc_state == TCP_LISTEN) {
			owner->role = FLOW_SERVER;
			owner->looked = 0;
		}
	}
	return 0;
}
