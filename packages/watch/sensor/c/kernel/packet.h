/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a packet of IP carries, of whom and to whom: read as it passes a socket, where its network header is the first. */
#ifndef BULWARK_KERNEL_PACKET_H
#define BULWARK_KERNEL_PACKET_H

#define NO_PROTOCOL 255 /* reserved: what it carries is not to be seen */
#define IPV6_HEADERS 8

struct segment {
	__u8 local[16], remote[16];
	__u16 local_port, remote_port;
	__u32 payload, length; /* where it begins, and how long it is */
	__u8 protocol;
	__u8 tcp_flags;
};

static __always_inline bool has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* Of TCP: without SYN, or with the ACK of an answer, nothing begins. */
static __always_inline bool is_beginning(__u8 tcp_flags)
{
	return (tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
}

static __always_inline void map_v4(__u8 *address, const void *v4)
{
	__builtin_memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	__builtin_memcpy(address + 12, v4, 4);
}

/*
 * RFC 8200 section 4: steps over the headers between, of which the kernel takes any number; more than a few are nobody's. What
 * is received is whole by now, and what is sent is not in parts yet: a part is made by a raw socket.
 */
static __always_inline __u8 read_next_headers(struct __sk_buff *skb, __u8 protocol, __u32 *at)
{
	for (int i = 0; i < IPV6_HEADERS; i++) {
		__u8 header[4];

		if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_ROUTING && protocol != IPPROTO_DSTOPTS &&
		    protocol != IPPROTO_FRAGMENT)
			return protocol;
		if (bpf_skb_load_bytes(skb, *at, header, sizeof(header)))
			return NO_PROTOCOL;
		if (protocol == IPPROTO_FRAGMENT && (header[2] || header[3] & ~6))
			return NO_PROTOCOL;
		*at += protocol == IPPROTO_FRAGMENT ? 8 : (header[1] + 1) * 8;
		protocol = header[0];
	}
	return NO_PROTOCOL;
}

/*
 * Where the header of TCP is, without a copy: in the first piece of the packet, which is whole (RFC 791), with no header of
 * IPv6 between. NULL: another protocol, or not to be said as quickly.
 */
static __always_inline __u8 *tcp_header(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 20 > end)
		return 0;
	bool is_v4 = data[0] >> 4 == 4;
	__u8 *tcp = data + (is_v4 ? (data[0] & 15) * 4 : 40);
	if (is_v4 ? data[9] != IPPROTO_TCP || data[6] & 0x3f || data[7] : data[6] != IPPROTO_TCP)
		return 0;
	return tcp + 14 > end ? 0 : tcp;
}

/* RFC 791, RFC 9293, RFC 768. False: it is neither IPv4 nor IPv6. */
static __always_inline bool read_segment(struct __sk_buff *skb, bool leaves, struct segment *segment)
{
	__u8 head[40], ports[14] = {};
	__u32 at;

	if (skb->protocol == __builtin_bswap16(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, head, 20))
			return false;
		at = (head[0] & 15) * 4;
		segment->protocol = head[6] & 0x3f || head[7] ? NO_PROTOCOL : head[9];
		map_v4(leaves ? segment->local : segment->remote, head + 12);
		map_v4(leaves ? segment->remote : segment->local, head + 16);
	} else if (skb->protocol == __builtin_bswap16(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, 0, head, 40))
			return false;
		at = 40;
		segment->protocol = read_next_headers(skb, head[6], &at);
		__builtin_memcpy(leaves ? segment->local : segment->remote, head + 8, 16);
		__builtin_memcpy(leaves ? segment->remote : segment->local, head + 24, 16);
	} else {
		return false;
	}
	segment->payload = at;
	if (segment->protocol == IPPROTO_TCP && bpf_skb_load_bytes(skb, at, ports, 14) == 0)
		segment->payload = at + (ports[12] >> 4) * 4;
	else if (segment->protocol != IPPROTO_TCP && has_ports(segment->protocol) && bpf_skb_load_bytes(skb, at, ports, 4) == 0)
		segment->payload = at + (segment->protocol == IPPROTO_UDP ? 8 : 12);
	else if (has_ports(segment->protocol))
		segment->protocol = NO_PROTOCOL;
	segment->tcp_flags = ports[13];
	segment->length = skb->len > segment->payload ? skb->len - segment->payload : 0;
	__u16 source = ports[0] << 8 | ports[1], destination = ports[2] << 8 | ports[3];
	segment->local_port = leaves ? source : destination;
	segment->remote_port = leaves ? destination : source;
	return true;
}

static __always_inline void fill_socket(struct frame_socket *socket, const struct segment *segment)
{
	__builtin_memset(socket, 0, sizeof(*socket));
	socket->family = AF_INET6;
	socket->local_port = segment->local_port;
	socket->remote_port = segment->remote_port;
	__builtin_memcpy(socket->local, segment->local, 16);
	__builtin_memcpy(socket->remote, segment->remote, 16);
}

#endif
