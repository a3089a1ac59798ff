/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The frames on the sensor's standard output, version 1. This file is their definition; README.md shows it as a table
 * of bytes and src/decode.ts reads it. All numbers are little-endian, all structures have no padding.
 *
 * The kernel side writes whole frames into the ring buffer, so that nothing is copied or changed on the way but the
 * sequence number.
 */
#ifndef BULWARK_FRAME_H
#define BULWARK_FRAME_H

#define FRAME_MAGIC 0x4b574c42u /* "BLWK" */
#define FRAME_VERSION 1

/* Longest frame of all. The decoder refuses longer ones. */
#define FRAME_MAX 16384

enum frame_type {
	FRAME_READY = 1,
	FRAME_EXEC = 2,
	FRAME_FORK = 3,
	FRAME_SNAPSHOT = 4,
	FRAME_EXIT = 5,
	FRAME_CONNECT = 6,
	FRAME_ACCEPT = 7,
	FRAME_LOSS = 8,
	FRAME_CLOCK = 9,
};

struct frame_header {
	__u32 magic;
	__u16 version;
	__u16 type;
	__u32 length; /* of the whole frame, this header included */
	__u32 reserved;
	__u64 sequence; /* counts frames from 0, without gaps */
	__u64 time; /* nanoseconds of CLOCK_BOOTTIME */
};

/* An Internet address is 16 bytes; IPv4 takes the first four. Ports are in host order. */
struct frame_socket {
	__u16 family;
	__u8 state;
	__u8 reserved;
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16];
	__u8 remote[16];
};

struct frame_descriptor {
	__u64 inode;
	__u32 mode; /* S_IFMT bits only; 0 when closed */
	__u32 device; /* dev_t as inside the kernel: major << 20 | minor */
	struct frame_socket socket; /* zero when it is not a socket */
};

enum frame_origin {
	ORIGIN_UNKNOWN = 0,
	ORIGIN_PLAIN = 1, /* not on overlayfs */
	ORIGIN_LOWER = 2,
	ORIGIN_UPPER = 3,
	ORIGIN_MEMORY = 4, /* memfd_create(2) */
};

enum frame_flag {
	FLAG_ARGUMENTS_CUT = 1,
	FLAG_KERNEL_PARENT = 2,
};

/* How the walk from a dentry towards the root ended. */
enum frame_path_end {
	PATH_ROOT = 0, /* at the root directory of the process: the path is absolute */
	PATH_UNREACHABLE = 1, /* at another root: the file is outside of what the process can name */
	PATH_NAME = 2, /* never had a directory: memfd, pipe, socket */
	PATH_CUT = 3, /* too deep or too long: the beginning of the path is missing */
	PATH_NONE = 4, /* there is none or it could not be read */
};

/* What follows struct frame_process: these fields without gaps, each as long as `lengths` says. */
enum frame_text {
	TEXT_NAME, /* task_struct.comm */
	TEXT_FILENAME, /* as passed to execve(2); empty but for FRAME_EXEC */
	TEXT_ARGUMENTS, /* each ends in NUL */
	TEXT_EXECUTABLE, /* names from the leaf to the root, each ends in NUL; so are the three below */
	TEXT_DIRECTORY,
	TEXT_CGROUP2,
	TEXT_CGROUP1,
	TEXT_COUNT,
};

struct frame_process {
	struct frame_header header;
	__u64 start_time;
	__u64 parent_start_time;
	__u64 capabilities;
	__u32 pid;
	__u32 parent_pid;
	__u32 container_pid;
	__u32 mount_namespace;
	__u32 pid_namespace;
	__u32 network_namespace;
	__u32 uid;
	__u32 gid;
	__u32 effective_uid;
	__u8 origin;
	__u8 flags;
	__u8 executable_end;
	__u8 directory_end;
	__u16 lengths[TEXT_COUNT];
	__u16 reserved;
	struct frame_descriptor stdio[3];
};

struct frame_exit {
	struct frame_header header;
	__u64 start_time;
	__u32 pid;
	__u32 exit_code; /* as wait(2) gives it */
};

struct frame_connection {
	struct frame_header header;
	__u64 start_time;
	__u32 pid;
	__u32 network_namespace;
	struct frame_socket socket;
};

/* Counted since the sensor started. */
struct frame_loss {
	struct frame_header header;
	__u64 ring;
	__u64 pipe;
	__u64 unreadable;
};

/* What to add to a time of a frame to have nanoseconds since 1970. Sent first and whenever the wall clock was set. */
struct frame_clock {
	struct frame_header header;
	__s64 offset;
};

/* FRAME_READY: the header, then lines of text "event hook\n". */

#define FRAME_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
FRAME_SIZE(struct frame_header, 32);
FRAME_SIZE(struct frame_socket, 40);
FRAME_SIZE(struct frame_descriptor, 56);
FRAME_SIZE(struct frame_process, 280);
FRAME_SIZE(struct frame_exit, 48);
FRAME_SIZE(struct frame_connection, 88);
FRAME_SIZE(struct frame_loss, 56);
FRAME_SIZE(struct frame_clock, 40);

#endif
