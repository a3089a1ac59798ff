/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* What the kernel side and the loader know of each other, besides the frames. */
#ifndef BULWARK_SHARED_H
#define BULWARK_SHARED_H

struct settings {
	bool include_host;
	/* sched_process_exit tells the last thread of a group since 6.16. */
	bool exit_tells_group_dead;
	/* Answers of name servers are told by hooks/dns.h. */
	bool tells_names;
	bool tells_environment;
	/* Events a second that each cgroup may make, and how many at once. */
	__u64 rate;
	__s64 burst;
};

/* Which system calls are told of, by number: bits of the arguments that point to text, and CALL_…. */
#define CALL_NUMBERS 512
#define CALL_WANTED 0x80
/*
 * What it does to files, if anything: it changes their rights, owner, times or extended attributes; that or what is in them,
 * among much else; what is in them, where it takes a path by opening or emptying them.
 */
#define CALL_CHANGES 0x60
#define CALL_ATTRIBUTES 0x40
#define CALL_MAYBE_ATTRIBUTES 0x20
#define CALL_CONTENT 0x60
#define CALL_TEXTS 0x1f
struct call_table {
	__u8 native[CALL_NUMBERS];
	__u8 compat[CALL_NUMBERS];
	__u32 clone, clone3, mkdir, mkdirat, link, linkat, truncate, ftruncate; /* native numbers */
};

/*
 * Which system calls are told of when they end, whether they asked for a right or not (hooks/traced.h), by number: bits of the
 * arguments that point to text, and which of them.
 */
#define TRACE_TEXTS 0x1f
#define TRACE_ALL 0x20
#define TRACE_STREAM 0x40 /* that made one of the descriptors 0 to 2 */
#define TRACE_DUPLICATE 0x60 /* the same, where it is a command for that */
#define TRACE_MAPPING 0x80 /* that mapped memory of no file, or memory that can be written, to be executed */
#define TRACE_PROTECTION 0xa0 /* that let memory be executed */
#define TRACE_OPEN 0xc0 /* that emptied a file, went up by `..` in the path as it was written, or was refused */
#define TRACE_OPEN_HOW 0xe0 /* the same, with the flags in a structure: openat2(2) */
struct traced_table {
	__u8 native[CALL_NUMBERS];
	__u8 compat[CALL_NUMBERS];
};

enum host_answer { HOST_NOT_FOUND, HOST_FOUND, HOST_IS_ELSEWHERE };

/* Written by the loader before it sleeps for long, and by the program that wakes it. */
struct reader {
	__u32 sleeps;
	__u32 reserved;
};

/*
 * File systems of containers of which the kernel side tells what fanotify would make dear (hooks/device-file.h,
 * hooks/attributes.h): at the number of their device modulo LEFT_SYSTEMS, written by the loader.
 */
#define LEFT_SYSTEMS 4096
enum left { LEFT_DEVICES = 1, LEFT_ATTRIBUTES = 2 };
struct left_system {
	__u64 identity; /* both halves of its UUID, one over the other; 0: a place that is free */
	__u32 devices; /* inode of the directory that is /dev; 0: it is the overlay that is the root */
	__u32 mount_namespace; /* 0: of several */
};

/* A directory of watched.h: its names from the leaf to the root, each with its NUL, and zeros. */
#define WATCHED_BYTES 64
#define WATCHED_DEPTH 4
struct watched_directory {
	char names[WATCHED_BYTES];
};

/* What one CPU lost; a cache line. */
struct cpu_loss {
	__u64 ring;
	__u64 unreadable;
	__u64 limited;
	__u64 flows;
	__u64 reserved[4];
};

#endif
