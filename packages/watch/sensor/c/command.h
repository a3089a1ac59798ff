/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames on the sensor's standard input, where that is a pipe or a socket: what to enforce. They begin as those on its
 * standard output (frame.h) and have the same version; each is answered by a FRAME_REPLY with its id. What is no frame ends
 * the process that enforces, and with it the sensor.
 */
#ifndef BULWARK_COMMAND_H
#define BULWARK_COMMAND_H

#include "frame.h"
#include "nettable.h"
#include "policy.h"

enum command_type {
	COMMAND_SET = 1,
	COMMAND_UNSET = 2,
	/* A table of network policies: its beginning, what is in it, in any order, and its end. Holds from the end on. */
	COMMAND_NET_BEGIN = 3,
	COMMAND_NET_PREFIXES = 4,
	COMMAND_NET_CELLS = 5,
	COMMAND_NET_SETS = 6,
	COMMAND_NET_POD = 7,
	COMMAND_NET_COMMIT = 8,
};

struct command_unset {
	struct frame_header header;
	__u64 id;
};

/* The cgroup's path and the paths of programs follow, each ends in NUL, the cgroup's first. */
struct command_set {
	struct frame_header header;
	__u64 id; /* the sender's; not 0, and of no policy that is there */
	__u64 nanoseconds; /* how long, at most LONGEST_POLICY */
	__u32 kind; /* enum policy_kind */
	__u32 flags; /* enum policy_flag */
	__u32 pid; /* a process of the container, whose mounts are meant */
	__u16 rules; /* how many of those below are used */
	__u16 paths;
	struct peer_rule peers[POLICY_RULES];
};
FRAME_SIZE(struct command_set, 64 + POLICY_RULES * 40);
FRAME_SIZE(struct command_unset, 40);

/* COMMAND_NET_PREFIXES, COMMAND_NET_CELLS, COMMAND_NET_SETS: so many of these follow. */
struct command_net {
	struct frame_header header;
	__u64 id;
	__u32 count;
	__u32 reserved;
};
struct command_prefix {
	__u8 address[16];
	__u32 bits; /* 0 to 128 */
	__u32 class;
};
struct command_cell {
	__u32 row;
	__u32 class;
	__u32 set;
};
struct command_ports {
	__u32 set;
	__u32 used;
	struct net_range ranges[NET_RANGES];
};
/* The cgroup's path follows and ends in NUL. One that is not there any more is passed over. */
struct command_pod {
	struct frame_header header;
	__u64 id;
	__u32 ingress;
	__u32 egress;
};
FRAME_SIZE(struct command_net, 48);
FRAME_SIZE(struct command_prefix, 24);
FRAME_SIZE(struct command_cell, 12);
FRAME_SIZE(struct command_ports, 8 + NET_RANGES * 8);
FRAME_SIZE(struct command_pod, 48);

#define LONGEST_POLICY (24 * 3600 * 1000000000ull)
#define PATHS_A_POLICY 64

#endif
