/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* What is enforced in a cgroup and below it: values of the maps that guard.c fills and hooks/enforce.h reads. */
#ifndef BULWARK_POLICY_H
#define BULWARK_POLICY_H

enum policy_kind { POLICY_EXEC = 0, POLICY_CONNECT = 1, POLICY_QUARANTINE = 2, POLICY_KINDS = 3 };

enum policy_flag {
	POLICY_ENFORCE = 1, /* without it is counted only what would be prevented */
	/* POLICY_EXEC: where the program comes from, besides its path */
	POLICY_UPPER = 2, /* the writable layer of an overlay */
	POLICY_MEMORY = 4, /* memfd_create(2) */
	POLICY_MOUNT = 8, /* no overlay: a volume, or a file system in memory */
	POLICY_KILL_ONLY = 16, /* no look before each exec: ended as it begins */
	/* What is left of it when the sensor ends: nothing, or all until its time is over. */
	POLICY_OUTLIVES = 32,
};
#define POLICY_ORIGINS (POLICY_UPPER | POLICY_MEMORY | POLICY_MOUNT)

/* An IPv4 address is ::ffff:a.b.c.d. Words are in network order, ports in the host's. */
struct peer_rule {
	__u32 address[4];
	__u32 mask[4];
	__u16 first_port, last_port;
	__u8 is_v4;
	__u8 allows;
	__u16 reserved;
};

#define POLICY_RULES 32
struct policy_key {
	__u64 cgroup; /* its inode, which is its number */
	__u64 kind;
};
struct policy {
	__u64 until; /* nanoseconds of CLOCK_BOOTTIME: afterwards it is as if it were not there */
	__u64 prevented; /* refused before it happened */
	__u64 caught; /* got past the refusal: ended as it began (exec), or its packets were dropped (network) */
	__u64 missed; /* got past both */
	__u32 flags;
	__u32 rules_used; /* the first that has a peer decides; without one: allowed, in quarantine refused */
	struct peer_rule rules[POLICY_RULES];
};

/* A path by its names from the leaf to the root, each ends in NUL: as a walk from the dentry finds them. */
#define PATH_NAMES_BYTES 248
enum path_match { PATH_FILE = 1, PATH_BELOW = 2 };
struct path_key {
	__u64 cgroup;
	char names[PATH_NAMES_BYTES];
};

#define POLICIES 512
#define POLICY_PATHS 8192

#endif
