/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policies as the kernel side asks them: keys and values of maps that network.c fills from commands. A table has a
 * number (`table`), and so has everything in it: the next one is put beside it, and then each pod is told the new number, so
 * that every packet is judged by one table or the other.
 */
#ifndef BULWARK_NETTABLE_H
#define BULWARK_NETTABLE_H

/* Addresses are of IPv6; ::ffff:a.b.c.d is IPv4. `bits` counts those of the number of the table too. */
struct net_prefix {
	__u32 bits;
	__u32 table;
	__u8 address[16];
};

/* Which ports a row lets a class of addresses reach; no entry: none. */
struct net_cell {
	__u32 table;
	__u32 row;
	__u32 class;
};

#define NET_ALL_PORTS 1 /* the number of a set; it needs no entry */
struct net_set {
	__u32 table;
	__u32 set;
};
struct net_range {
	__u16 first, last;
	__u8 protocol;
	__u8 reserved[3];
};
#define NET_RANGES 64
struct net_ports {
	__u32 used;
	__u32 reserved;
	struct net_range ranges[NET_RANGES];
};

/* Of a cgroup and what is below it. A row of 0: nothing is refused in that direction. */
struct net_pod {
	__u32 table;
	__u32 ingress;
	__u32 egress;
	__u32 reserved;
};

#define NET_PREFIXES 131072
#define NET_CELLS 524288
#define NET_SETS 16384
#define NET_PODS 2048
#define NET_TALKS 32768

/* In struct flow: who denied. */
enum net_direction { NET_EGRESS = 1, NET_INGRESS = 2 };

#endif
