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

static __always_inline void tell_answer(struct __sk_buff *skb, const struct dns_asker *asker, const struct segment *answer)
{
	__u32 size = answer->length;
	struct sheet *sheet;

	if (size > DNS_BYTES)
		size = DNS_BYTES;
	sheet = take_sheet();
	if (!sheet)
		return;
	__builtin_memset(&sheet->dns, 0, sizeof(sheet->dns));
	sheet->dns.actor = asker->actor;
	fill_socket(&sheet->dns.socket, answer);
	sheet->dns.length = size;
	sheet->dns.protocol = answer->protocol;
	hide(size);
	if (size > 0 && size <= DNS_BYTES && bpf_skb_load_bytes(skb, answer->payload, sheet->bytes + sizeof(struct frame_dns), size) == 0) {
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
	struct bpf_sock *sk = skb->sk;
	struct segment answer = {};
	struct share *flooded = 0;
	struct dns_asker *asker;

	sk = sk ? bpf_sk_fullsock(sk) : 0;
	if (!sk || sk->protocol != IPPROTO_UDP)
		return 1;
	asker = bpf_sk_storage_get(&dns_askers, sk, 0, 0);
	if (!asker || !read_segment(skb, false, &answer) || answer.remote_port != DNS_PORT)
		return 1;
	if (takes_share(asker->cgroup, &flooded))
		tell_answer(skb, asker, &answer);
	else if (flooded)
		tell_flooded(asker, flooded);
	return 1;
}
