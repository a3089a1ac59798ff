/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The frames on the sensor's standard output, version 4. This file is their definition; README.md shows it as a table
 * of bytes and src/decode.ts reads it. All numbers are little-endian, all structures have no padding.
 *
 * The kernel side writes whole frames into the ring buffer, so that nothing is copied or changed on the way but the
 * sequence number.
 */
#ifndef BULWARK_FRAME_H
#define BULWARK_FRAME_H

#define FRAME_MAGIC 0x4b574c42u /* "BLWK" */
#define FRAME_VERSION 4

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
	FRAME_CALL = 10,
	FRAME_SOCKET = 11,
	FRAME_FILE = 12,
	FRAME_SETTING = 13,
	FRAME_DEVICE = 14,
	FRAME_SIGNAL = 15,
	FRAME_DNS = 16,
	FRAME_FLOOD = 17,
	FRAME_REPLY = 18,
	FRAME_ENFORCEMENT = 19,
	FRAME_FLOW = 20,
	FRAME_OPENING = 21,
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
	FLAG_GAINS_RIGHTS = 4, /* exec of a set-user-id program or one with capabilities */
	FLAG_DELETED = 8, /* the executable has no name any more */
	FLAG_ENVIRONMENT_CUT = 16,
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
	TEXT_INTERPRETER, /* of a script; else empty */
	TEXT_ARGUMENTS, /* each ends in NUL */
	TEXT_EXECUTABLE, /* names from the leaf to the root, each ends in NUL; so are the three below */
	TEXT_DIRECTORY,
	TEXT_CGROUP2,
	TEXT_CGROUP1,
	TEXT_ENVIRONMENT, /* where it is asked for, of what began a program or was there; each ends in NUL */
	TEXT_COUNT,
};

struct frame_process {
	struct frame_header header;
	__u64 start_time;
	__u64 parent_start_time;
	__u64 capabilities;
	__u64 permitted;
	__u64 inheritable;
	__u64 clone_flags; /* of FRAME_FORK */
	__u64 executable_inode;
	__u32 pid;
	__u32 parent_pid;
	__u32 container_pid;
	__u32 mount_namespace;
	__u32 pid_namespace;
	__u32 network_namespace;
	__u32 user_namespace;
	__u32 cgroup_namespace;
	__u32 uid;
	__u32 gid;
	__u32 effective_uid;
	__u32 saved_uid;
	__u32 login_uid;
	__u32 session;
	__u32 process_group;
	__u32 terminal; /* dev_t as inside the kernel; 0: none */
	__u32 executable_mode;
	__u32 executable_uid;
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

/* Who did what the frames below tell of, as it was at that moment. Zero where it is not known. */
struct frame_actor {
	__u64 start_time;
	__u64 capabilities;
	__u32 pid;
	__u32 thread;
	__u32 mount_namespace;
	__u32 pid_namespace;
	__u32 network_namespace;
	__u32 user_namespace;
	__u32 uid;
	__u32 effective_uid;
	__u32 saved_uid;
	__u32 reserved;
};

enum frame_operation {
	/* FRAME_SOCKET */
	SOCKET_CONNECT = 0, /* of a Unix socket; TCP has a frame of its own */
	SOCKET_BIND = 1,
	SOCKET_LISTEN = 2,
	SOCKET_SEND = 3,
	SOCKET_ESTABLISHED = 4,
	SOCKET_CLOSED = 5,
	/* FRAME_FILE */
	FILE_READ = 0,
	FILE_WRITE = 1, /* closed after it was open for writing */
	FILE_EXECUTE = 2,
	FILE_CREATE = 3,
	FILE_REMOVE = 4,
	FILE_RENAME = 5,
	FILE_ATTRIBUTES = 6,
	FILE_TRUNCATE = 7, /* has lost its end, or all that was in it */
	/* FRAME_SETTING */
	SETTING_READ = 0,
	SETTING_WRITE = 1,
};

enum frame_architecture { ARCHITECTURE_NATIVE = 0, ARCHITECTURE_COMPAT = 1 };
enum frame_answer { ANSWER_NOT_ASKED = 0, ANSWER_GRANTED = 1, ANSWER_REFUSED = 2 };
enum frame_device_kind { DEVICE_BLOCK = 1, DEVICE_CHARACTER = 2 };
enum frame_device_access { DEVICE_MAKE = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 };
enum frame_file_flag {
	FILE_IS_DIRECTORY = 1,
	FILE_THROUGH_NAMESPACE = 2, /* reached by a mount of that mount namespace, and not by who is seen to be in it */
	FILE_IS_OPEN = 4, /* of FILE_WRITE: written to the first time, and told again when it is closed */
	FILE_BY_DESCRIPTOR = 8, /* of FILE_TRUNCATE: ftruncate(2) */
	FILE_WAS_WRITTEN = 16, /* of FILE_EXECUTE: it was written in the container */
};

/* `place`: of the file that was opened, or where it was not, of the directory that its name begins at. */
struct frame_opened {
	__u64 flags; /* of open(2) */
	__u32 mode; /* S_IFMT bits of the file; 0 where it was not opened */
	__u16 place_length;
	__u8 place_end;
	__u8 reserved;
};

/*
 * The texts of the pointers among the arguments follow without gaps; 0xffff: none, or it could not be read. After them the
 * place, as names from the leaf to the root, each ends in NUL.
 */
#define CALL_ARGUMENTS 6
#define CALL_NO_TEXT 0xffff
#define CALL_TEXT_BYTES 1024
struct frame_call {
	struct frame_header header;
	struct frame_actor actor;
	__u64 arguments[CALL_ARGUMENTS];
	__s64 result; /* where has_result */
	__u32 number;
	__s32 capability; /* -1: none was asked for */
	__u8 architecture;
	__u8 answer;
	__u8 has_result;
	__u8 machine; /* 1: x86-64, 2: arm64 */
	__u16 lengths[CALL_ARGUMENTS];
	struct frame_socket socket; /* that the result is a descriptor of; zeros where it is none, or that is not looked at */
	struct frame_opened opened; /* of a call that opens files and is traced; PATH_NONE of others */
};

/* FRAME_CONNECT, FRAME_ACCEPT and FRAME_SOCKET; the path of a Unix socket follows. */
struct frame_socket_event {
	struct frame_header header;
	struct frame_actor actor;
	struct frame_socket socket;
	__u8 operation;
	__u8 kind; /* SOCK_STREAM, … */
	__u16 protocol;
	__u16 path_length;
	__u16 reserved;
};

/* Two paths follow: absolute, as text, the second only of a rename. */
struct frame_file {
	struct frame_header header;
	struct frame_actor actor;
	__u64 inode;
	__u8 operation;
	__u8 flags;
	__u16 lengths[2];
	__u16 reserved;
};

/* Name and value follow as text. */
struct frame_setting {
	struct frame_header header;
	struct frame_actor actor;
	__u8 operation;
	__u8 reserved[3];
	__u16 lengths[2];
};

struct frame_device {
	struct frame_header header;
	struct frame_actor actor;
	__u32 major;
	__u32 minor;
	__u8 kind;
	__u8 access;
	__u8 reserved[6];
};

struct frame_signal {
	struct frame_header header;
	struct frame_actor actor;
	__u64 target_start_time;
	__u32 target_pid;
	__u32 target_pid_namespace;
	__u32 signal;
	__u8 target_name[16]; /* ends in NUL */
	__u32 reserved;
};

/*
 * What came from a name server, over UDP, or where flows are counted first in a connection of TCP: the DNS message (RFC 1035
 * section 4) follows, cut at the bound.
 */
#define DNS_BYTES 1024
struct frame_dns {
	struct frame_header header;
	struct frame_actor actor;
	struct frame_socket socket;
	__u16 length;
	__u8 reserved[2];
	__u8 protocol;
	__u8 reserved_too[3];
};

enum flow_role { FLOW_UNKNOWN = 0, FLOW_CLIENT = 1, FLOW_SERVER = 2 };

/*
 * What a container sent to and received from one address since the frame before: all its connections to (or, where it is
 * the server, to its own) port. Addresses are of IPv6; ::ffff:a.b.c.d is IPv4.
 */
struct frame_flow {
	struct frame_header header;
	__u64 start_time; /* of the process, with its number */
	__u64 cgroup; /* number of the cgroup of version 2 */
	__u64 first; /* nanoseconds of CLOCK_BOOTTIME */
	__u64 last;
	__u64 bytes_out; /* what this end sent, without headers */
	__u64 bytes_in;
	__u64 packets_out;
	__u64 packets_in;
	__u32 pid;
	__u32 network_namespace;
	/* Connections; of protocols without such, conversations: changes of the client's port. */
	__u32 begun;
	__u32 established;
	__u32 refused;
	__u32 timed_out;
	__u32 denied;
	__u32 encrypted; /* that began with a handshake of TLS or QUIC */
	__u32 policy; /* that denied last; 0: none */
	__u16 port; /* of the server */
	__u16 first_client_port;
	__u16 client_port; /* the last one */
	__u8 protocol;
	__u8 role; /* of this end */
	__u8 local[16];
	__u8 remote[16];
	char name[16]; /* of the program's file, cut; ends in NUL */
	__u32 reserved;
};

/* The first bytes of a connection in one direction follow; of each flow at most once a minute. */
#define OPENING_BYTES 2048
struct frame_opening {
	struct frame_header header;
	struct frame_actor actor;
	struct frame_socket socket;
	__u16 length;
	__u8 role;
	__u8 from_client;
	__u8 protocol;
	__u8 reserved[3];
};

/* So many events of a mount namespace were passed over since the sensor started, because its share was used up. */
struct frame_flood {
	struct frame_header header;
	struct frame_actor actor;
	__u64 passed_over;
};

/* Counted since the sensor started. */
struct frame_loss {
	struct frame_header header;
	__u64 ring;
	__u64 pipe;
	__u64 unreadable;
	__u64 limited;
	__u64 files;
	__u64 flows;
};

/* What to add to a time of a frame to have nanoseconds since 1970. Sent first and whenever the wall clock was set. */
struct frame_clock {
	struct frame_header header;
	__s64 offset;
};

/* To a command (command.h) of that id. The text says what is wrong and, after a line end, how to mend it. */
struct frame_reply {
	struct frame_header header;
	__u64 id;
	__u32 guard; /* process that enforces */
	__u8 is_refused;
	__u8 ways; /* enum enforcement_way */
	__u16 text_length;
};

enum enforcement_way {
	WAY_REFUSES_EXEC = 1, /* fanotify: the exec fails */
	WAY_ENDS_EXEC = 2, /* the program is ended before it runs */
	WAY_REFUSES_CONNECT = 4, /* connect(2) and sendmsg(2) fail */
	WAY_DROPS_PACKETS = 8,
};

enum enforcement_state {
	ENFORCEMENT_LASTS = 0,
	ENFORCEMENT_TIME_IS_OVER = 1,
	ENFORCEMENT_UNDONE = 2,
	ENFORCEMENT_CONTAINER_ENDED = 3,
};

/* What became of a policy since it was set; when that changed, at most once a second, and when it ends. */
struct frame_enforcement {
	struct frame_header header;
	__u64 id;
	__u64 prevented;
	__u64 caught;
	__u64 missed;
	__u8 state;
	__u8 reserved;
	__u16 text_length; /* the program that was refused last follows */
	__u32 pid; /* who that was */
};

/* FRAME_READY: the header, then lines of text "event hook\n". */

#define FRAME_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
FRAME_SIZE(struct frame_header, 32);
FRAME_SIZE(struct frame_socket, 40);
FRAME_SIZE(struct frame_descriptor, 56);
FRAME_SIZE(struct frame_process, 352);
FRAME_SIZE(struct frame_exit, 48);
FRAME_SIZE(struct frame_actor, 56);
FRAME_SIZE(struct frame_call, 224);
FRAME_SIZE(struct frame_socket_event, 136);
FRAME_SIZE(struct frame_file, 104);
FRAME_SIZE(struct frame_setting, 96);
FRAME_SIZE(struct frame_device, 104);
FRAME_SIZE(struct frame_signal, 128);
FRAME_SIZE(struct frame_dns, 136);
FRAME_SIZE(struct frame_flood, 96);
FRAME_SIZE(struct frame_reply, 48);
FRAME_SIZE(struct frame_enforcement, 72);
FRAME_SIZE(struct frame_loss, 80);
FRAME_SIZE(struct frame_flow, 192);
FRAME_SIZE(struct frame_opening, 136);
FRAME_SIZE(struct frame_clock, 40);

#endif
