/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets of containers, where they pass their sockets: their number and bytes but for connections of TCP, whose sockets count
 * themselves (flow-socket.h); the first bytes of connections; the answers of name servers. Both return 1: allowed.
 */

struct opening_key {
	struct flow_key flow;
	__u64 from_client;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct opening_key);
	__type(value, __u64);
} openings SEC(".maps");
#define OPENING_NS 60000000000ull

static __always_inline bool is_opening_new(const struct flow_key *flow, bool from_client, __u64 now)
{
	struct opening_key key = { .flow = *flow, .from_client = from_client };
	__u64 *before = bpf_map_lookup_elem(&openings, &key);

	if (before && now - *before < OPENING_NS)
		return false;
	bpf_map_update_elem(&openings, &key, &now, BPF_ANY);
	return true;
}

static __always_inline void fill_actor(struct frame_actor *actor, const struct flow_owner *owner)
{
	__builtin_memset(actor, 0, sizeof(*actor));
	actor->start_time = owner->start_time;
	actor->pid = owner->pid;
	actor->thread = owner->pid;
	actor->network_namespace = owner->network_namespace;
}

/* The payload of a packet behind a head that both kinds of frames have the size of. */
static __always_inline void emit_payload(struct __sk_buff *skb, const struct flow_owner *owner, const struct segment *segment,
					 bool is_dns, bool from_client)
{
	struct share *flooded = 0;
	struct sheet *sheet;
	__u32 size = segment->length, most = is_dns ? DNS_BYTES : OPENING_BYTES;

	/* By network namespace: no number of a cgroup is as small with this bit set. */
	if (!takes_share(1ull << 63 | owner->network_namespace, &flooded))
		return;
	sheet = take_sheet();
	if (!sheet)
		return;
	if (size > most)
		size = most;
	fill_actor(&sheet->opening.actor, owner);
	fill_socket(&sheet->opening.socket, segment);
	sheet->opening.length = size;
	sheet->opening.role = is_dns ? 0 : owner->role;
	sheet->opening.from_client = from_client;
	sheet->opening.protocol = segment->protocol;
	__builtin_memset(sheet->opening.reserved, 0, sizeof(sheet->opening.reserved));
	hide(size);
	if (size > 0 && size <= OPENING_BYTES &&
	    bpf_skb_load_bytes(skb, segment->payload, sheet->bytes + sizeof(struct frame_opening), size) == 0) {
		begin_frame(&sheet->opening.header, is_dns ? FRAME_DNS : FRAME_OPENING, sizeof(struct frame_opening) + size);
		emit(&sheet->opening, sizeof(struct frame_opening) + size);
	}
	give_sheet_back(sheet);
}

/* RFC 8446 section 5.1: a record of the handshake. RFC 9000 section 17.2, RFC 9369: a long header of QUIC 1 or 2. */
static __always_inline bool is_encrypted(struct __sk_buff *skb, const struct segment *segment)
{
	__u8 first[5] = {};

	if (segment->length < sizeof(first) || bpf_skb_load_bytes(skb, segment->payload, first, sizeof(first)))
		return false;
	if (segment->protocol == IPPROTO_TCP)
		return first[0] == 0x16 && first[1] == 3 && first[2] <= 4;
	if ((first[0] & 0xc0) != 0xc0)
		return false;
	return (first[1] == 0 && first[2] == 0 && first[3] == 0 && first[4] == 1) ||
	       (first[1] == 0x6b && first[2] == 0x33 && first[3] == 0x43 && first[4] == 0xcf);
}

/* The first bytes in each direction tell what is spoken. */
static __always_inline void look(struct __sk_buff *skb, struct flow_owner *owner, const struct segment *segment,
				 const struct flow_key *key, struct flow *flow, bool leaves, __u64 now)
{
	bool from_client = leaves == (owner->role == FLOW_CLIENT);

	bool is_handshake = from_client && is_encrypted(skb, segment);

	if (is_handshake)
		__sync_fetch_and_add(&flow->encrypted, 1);
	if ((segment->protocol == IPPROTO_TCP || is_handshake) && is_opening_new(key, from_client, now))
		emit_payload(skb, owner, segment, false, from_client);
}

/* Most packets of a connection, which counts itself: those that carry nothing, and those after what it began with. */
#define FIRST_SEGMENTS 16
static __always_inline bool goes_by(struct __sk_buff *skb, struct tcp_sock *tcp, bool leaves)
{
	if ((leaves ? tcp->data_segs_out : tcp->data_segs_in) > FIRST_SEGMENTS)
		return true;
	if (((struct sock *)tcp)->__sk_common.skc_state == TCP_LISTEN)
		return false;
	__u8 *header = tcp_header(skb);
	return header && skb->len <= header - (__u8 *)(long)skb->data + (header[12] >> 4) * 4;
}

static __always_inline int on_packet(struct __sk_buff *skb, bool leaves)
{
	__u8 direction = leaves ? LOOKED_OUT : LOOKED_IN;
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : 0;
	struct flow_owner *owner;

	if (!sk)
		return 1;
	bool is_told_of = tcp && is_due(skb, tcp, leaves);
	if (tcp && !is_told_of && goes_by(skb, tcp, leaves))
		return 1;
	owner = bpf_sk_storage_get(&flow_owners, sk, 0, 0);
	if (!owner || (owner->is_tcp && !tcp))
		return 1;
	/* A handshake passes the listener, as there is no other socket yet. */
	bool is_listener = false;
	if (owner->is_tcp) {
		is_listener = ((struct sock *)tcp)->__sk_common.skc_state == TCP_LISTEN;
		if (is_told_of)
			count_connection(tcp, owner, bpf_ktime_get_boot_ns());
		if (owner->looked & direction)
			return 1;
	}
	struct segment segment = {};
	if (!read_segment(skb, leaves, &segment))
		return 1;
	bool is_counted = !owner->is_tcp || (is_listener && (segment.tcp_flags & TCP_FLAG_SYN));
	bool is_looked_at = segment.length > 0 && has_ports(segment.protocol) && !(owner->looked & direction);
	if (!is_counted && !is_looked_at)
		return 1;
	/* Of what has no connections the client is who spoke first. */
	if (owner->role == FLOW_UNKNOWN)
		owner->role = leaves ? FLOW_CLIENT : FLOW_SERVER;
	bool is_client = owner->role == FLOW_CLIENT;
	__u16 client_port = is_client ? segment.local_port : segment.remote_port;
	__u64 now = bpf_ktime_get_boot_ns();
	struct flow_key key = {};
	struct flow *flow;

	key_of(&key, owner, segment.protocol, is_client ? segment.remote_port : segment.local_port);
	__builtin_memcpy(key.remote, segment.remote, sizeof(key.remote));
	flow = flow_of(&key, now);
	if (!flow)
		return 1;
	tell_owner(flow, owner, now);
	if (is_counted) {
		if (!owner->is_tcp)
			__sync_fetch_and_add(leaves ? &flow->bytes_out : &flow->bytes_in, segment.length);
		__sync_fetch_and_add(leaves ? &flow->packets_out : &flow->packets_in, skb->gso_segs > 1 ? skb->gso_segs : 1);
		if (!owner->is_tcp && (flow->client_port != client_port || !flow->begun))
			__sync_fetch_and_add(&flow->begun, 1);
		tell_ends(flow, segment.local, client_port);
	}
	if (is_looked_at) {
		/* What comes together with the end of a handshake is not the listener's. */
		if (!is_listener)
			owner->looked |= direction;
		look(skb, owner, &segment, &key, flow, leaves, now);
	}
	bool is_answer = !leaves && is_client && segment.remote_port == DNS_PORT && segment.protocol != IPPROTO_SCTP;
	/* RFC 1035 section 4.2.2: over TCP its length stands before it. Of a connection it is the first that is told. */
	if (is_answer && segment.protocol == IPPROTO_TCP) {
		is_answer = is_looked_at && segment.length > 2;
		segment.payload += 2;
		segment.length -= 2;
	}
	if (is_answer)
		emit_payload(skb, owner, &segment, true, false);
	return 1;
}

SEC("cgroup_skb/egress")
int flow_egress(struct __sk_buff *skb)
{
	return on_packet(skb, true);
}

SEC("cgroup_skb/ingress")
int flow_ingress(struct __sk_buff *skb)
{
	return on_packet(skb, false);
}
