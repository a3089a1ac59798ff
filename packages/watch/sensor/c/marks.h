/* SPDX-License-Identifier: Apache-2.0 */
/* fanotify marks of containers, and what comes of them. */
#ifndef BULWARK_MARKS_H
#define BULWARK_MARKS_H

#include <linux/types.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "shared.h"

/* What the kernel side knows a directory by. False: its path is too long, or goes too deep, for that. */
bool watched_key(const char *path, struct watched_directory *key);

#define MARK_PATH_BYTES 4096
#define WATCHED_CONTAINERS 512
/* One queue and one process a container, the queue of all directories, and one more for the caller. */
#define MARKS_POLLED (2 * WATCHED_CONTAINERS + 2)

#define FILE_EVENT_LOST 255

struct file_event {
	__u32 pid;
	__u32 mount_namespace;
	__u64 inode;
	__u8 operation; /* enum frame_operation, or FILE_EVENT_LOST */
	bool is_directory;
	bool is_through_namespace; /* reached by a mount of that namespace, and not by who is seen to be in it */
	bool was_written; /* of FILE_EXECUTE: while it was watched */
	const char *path;
	const char *new_path;
};

/* A file system that is left to the kernel side, as that knows it (shared.h). */
struct left_place {
	__u32 device; /* s_dev as inside the kernel: major << 20 | minor */
	__u32 devices; /* inode of the directory that is /dev; 0: it is the overlay that is the root */
	__u64 identity; /* 0: there is none */
};
/* That of /dev, and the overlay. */
enum { LEFT_OF_DEVICES, LEFT_OVERLAY, LEFT_PLACES };

/*
 * Files, and directories with their entries, whose opening is told besides those of watched.h: absolute paths, one a line, in
 * memory that stays. More than WANTED_PATHS are left out. Before anything is watched.
 */
#define WANTED_PATHS 256
void marks_want(const char *lines);

/*
 * The same of directories of which it is told what is made in them, removed, renamed and given other rights, besides those of
 * watched.h.
 */
void marks_want_changes(const char *lines);

/* Calls for each of them, those of watched.h among them. */
void marks_each_directory(void (*on_directory)(void *context, const char *path), void *context);

struct marks;
struct marks *marks_open(void);

/*
 * What the kernel side tells, bits of enum left: what is made in a /dev that has a file system of its own, on which nothing is
 * marked then; rights and their like of entries of watched directories of an overlay.
 */
void marks_leave(struct marks *marks, __u32 leaves);

/*
 * Watches the files of a process's mount namespace. What of it is left to the kernel side, LEFT_PLACES of them; NULL: it is
 * the host's, it is gone, or there is no room.
 */
const struct left_place *marks_add(struct marks *marks, __u32 pid, __u32 mount_namespace);

/* Watches a few files of the machine itself, for those that come to them from a container by another process's root. */
void marks_add_host(struct marks *marks);

/* Something was mounted in a mount namespace, or is being mounted: its mounts are looked at a few times more. */
void marks_look_again(struct marks *marks, __u32 mount_namespace);

/* Takes what was found. */
typedef void marks_receiver(void *context, const struct file_event *event);

/* Does what is due of that; in how many milliseconds more is, or -1. */
int marks_look(struct marks *marks, marks_receiver *on_event, void *context);

/* Fills in what to wait for; how many. */
size_t marks_poll(struct marks *marks, struct pollfd *polled);

/* Reads what `fd` has. Returns the mount namespace that is watched no more, because its first process ended, or 0. */
__u32 marks_read(struct marks *marks, int fd, marks_receiver *on_event, void *context);

#endif
