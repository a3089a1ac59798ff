/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames on the sensor's standard input, where that is a pipe or a socket: what to enforce. They begin as those on its
 * standard output (frame.h) and have the same version; each is answered by a FRAME_REPLY with its id. What is no frame ends
 * the process that enforces, and with it the sensor.
 */
#ifndef BULWARK_COMMAND_H
#define BULWARK_COMMAND_H

#include "frame.h"
#include "policy.h"

enum command_type { COMMAND_SET = 1, COMMAND_UNSET = 2 };

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

#define LONGEST_POLICY (24 * 3600 * 1000000000ull)
#define PATHS_A_POLICY 64

#endif
