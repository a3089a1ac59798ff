/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers of name servers over UDP, where flows are not counted (hooks/flow-packet.h tells them then). Sockets that send to
 * port 53 get a note of who that was; of other packets no more is looked at than the protocol of their socket. Programs that
 * are looked at while they send are in hooks/socket.h. Returns 1: allowed.
 */

#define DNS_PORT 53

struct dns_asker {
	struct frame_actor actor;
	__u64 cgroup;
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dns_asker);
} dns_askers SEC(".maps");

/* The last that sent is who the answers are for: a socket may be handed on. */
static __always_inline void note_asker(struct bpf_sock *sk, const struct frame_actor *actor, struct task_struct *task)
{
	struct dns_asker *asker = bpf_sk_storage_get(&dns_askers, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!asker)
		return;
	asker->actor = *actor;
	asker->cgroup = cgroup_number(task);
}

/* RFC 791, RFC 8200, RFC 768: where the message begins, 0 where it is not from a name server. */
static __always_inline __u32 read_ends(struct __sk_buff *skb, struct frame_socket *ends)
{
	__u8 head[40], ports[4];
	__u32 at;

	if (skb->protocol == __builtin_bswap16(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, head, 20) || head[9] != IPPROTO_UDP)
			return 0;
		ends->family = AF_INET;
		at = (head[0] & 15) * 4;
		__builtin_memcpy(ends->remote, head + 12, 4);
		__builtin_memcpy(ends->local, head + 16, 4);
	} else {
		if (bpf_skb_load_bytes(skb, 0, head, 40) || head[6] != IPPROTO_UDP)
			return 0;
		ends->family = AF_INET6;
		at = 40;
		__builtin_memcpy(ends->remote, head + 8, 16);
		__builtin_memcpy(ends->local, head + 24, 16);
	}
	if (bpf_skb_load_bytes(skb, at, ports, sizeof(ports)))
		return 0;
	ends->remote_port = ports[0] << 8 | ports[1];
	ends->local_port = ports[2] << 8 | ports[3];
	return ends->remote_port == DNS_PORT ? at + 8 : 0;
}

static __always_inline void tell_answer(struct __sk_buff *skb, const struct dns_asker *asker, const struct frame_socket *ends,
					__u32 at)
{
	__u32 size = skb->len > at ? skb->len - at : 0;
	struct sheet *sheet;

	if (size > DNS_BYTES)
		size = DNS_BYTES;
	sheet = take_sheet();
	if (!sheet)
		return;
	__builtin_memset(&sheet->dns, 0, sizeof(sheet->dns));
	sheet->dns.actor = asker->actor;
	sheet->dns.socket = *ends;
	sheet->dns.length = size;
	hide(size);
	if (size > 0 && size <= DNS_BYTES && bpf_skb_load_bytes(skb, at, sheet->bytes + sizeof(struct frame_dns), size) == 0) {
		begin_frame(&sheet->dns.header, FRAME_DNS, sizeof(struct frame_dns) + size);
		emit(&sheet->dns, sizeof(struct frame_dns) + size);
	}
	give_sheet_back(sheet);
}

static __always_inline void tell_flooded(const struct dns_asker *asker, const struct share *flooded)
{
	struct frame_flood frame = { .actor = asker->actor, .passed_over = flooded->passed_over };

	begin_frame(&frame.header, FRAME_FLOOD, sizeof(frame));
	emit(&frame, sizeof(frame));
}

SEC("cgroup_skb/ingress")
int dns_answer(struct __sk_buff *skb)
{
	struct frame_socket ends = {};
	struct bpf_sock *sk = skb->sk;
	struct share *flooded = 0;
	struct dns_asker *asker;
	__u32 at;

	sk = sk ? bpf_sk_fullsock(sk) : 0;
	if (!sk || sk->protocol != IPPROTO_UDP)
		return 1;
	asker = bpf_sk_storage_get(&dns_askers, sk, 0, 0);
	at = asker ? read_ends(skb, &ends) : 0;
	if (!at)
		return 1;
	if (takes_share(asker->cgroup, &flooded))
		tell_answer(skb, asker, &ends, at);
	else if (flooded)
		tell_flooded(asker, flooded);
	return 1;
}
