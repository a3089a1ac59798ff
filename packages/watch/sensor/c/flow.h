/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows as the kernel side counts them: keys and values of two maps of which one is written while the other is read
 * (flows.c). Which one is written is the lowest bit of the turn, which counts up.
 */
#ifndef BULWARK_FLOW_H
#define BULWARK_FLOW_H

/* One end, a container, and all that it has to do with one port of one peer, by one kind of program. */
struct flow_key {
	__u64 cgroup;
	__u32 network_namespace;
	__u16 port; /* of the server */
	__u8 protocol;
	__u8 role; /* enum flow_role */
	__u8 remote[16];
	char name[16];
};

/* The two directions are counted on two CPUs, which would wait for each other if it were in one line of their caches. */
struct flow {
	__u64 bytes_out, packets_out;
	__u64 first, last;
	__u64 start_time;
	__u32 pid;
	__u32 begun, established, refused, timed_out, denied, encrypted;
	__u32 policy;
	__u16 first_client_port, client_port;
	__u8 local[16];
	__u32 reserved;
	__u64 bytes_in, packets_in;
};

/* In each turn; of them each network namespace may have a share, so that one that scans leaves room for the others. */
#define FLOWS 65536
#define FLOWS_A_NAMESPACE 16384

#endif
