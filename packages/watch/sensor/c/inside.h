/* SPDX-License-Identifier: Apache-2.0 */
/* The file system of a container from outside, and fanotify marks in it. */
#ifndef BULWARK_INSIDE_H
#define BULWARK_INSIDE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The root directory of a process; -1: it is gone. */
int inside_root(__u32 pid);

/* A path below a root, as a descriptor of O_PATH. Its links lead nowhere but inside. */
int inside_open(int root, const char *path);

bool inside_mark(int queue, unsigned flags, unsigned long long mask, int fd);

/* Calls for each mount of the process but its root and those of devices and queues. */
void inside_mounts(__u32 pid, int root, void (*on_mount)(void *context, int fd), void *context);

/* The number of the mount that a descriptor is open through; 0: not known. */
__u64 inside_mount_of(int fd);

/* What tells a file system from all others that there ever are: both halves of its UUID, one over the other. 0: it has none. */
__u64 inside_identity(int fd);

/* Whether its file system is of a type of linux/magic.h. */
bool inside_is_of_type(int fd, __u32 type);

/* Where a directory is in its mount namespace. False: longer than `size`. */
bool inside_path(int fd, char *path, size_t size);

/* Whether that mount of a process is of the whole file system, not of a directory of it. */
bool inside_is_whole(__u32 pid, __u64 mount);

/* Whether a process sees that mount. */
bool inside_sees_mount(__u32 pid, __u64 mount);

/* The mount namespace of a process; 0: it is gone. */
__u32 inside_namespace(__u32 pid);

/* A cgroup below the root of the hierarchy, no links; -1: it is not there. */
int inside_open_cgroup(int hierarchy, const char *path);

/* The cgroup of version 2 of a process; empty: it is gone. */
void inside_cgroup(__u32 pid, char *path, size_t size);

/* Whether a process is in that cgroup or below it. */
bool inside_is_of(__u32 pid, const char *cgroup);

/*
 * How many packet sockets (packet(7)) the processes of a cgroup hold, of the network of one of them; at most `INSIDE_SOCKETS`
 * are looked for.
 */
#define INSIDE_SOCKETS 256
size_t inside_packet_sockets(__u32 pid, const char *cgroup);

#endif
