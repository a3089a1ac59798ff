/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to files, where the kernel takes no LSM or fentry program: fanotify(7), from a process of its own that
 * keeps the rights which watching another container takes (privileges.h), while the sensor itself keeps none. They speak
 * over a socket: mount namespaces to watch one way, frames the other.
 */
#ifndef BULWARK_FILES_H
#define BULWARK_FILES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "frame.h"
#include "shared.h"

/* What it watches, for the list of hooks. */
#define FILES_HOOKS                           \
	"write fanotify/CLOSE_WRITE\n"        \
	"read,library fanotify/OPEN\n"        \
	"create,remove,rename,attributes fanotify/DFID_NAME\n"

/* Starts it; to be called while all rights are there. The socket to it, or -1 where fanotify is refused. */
int files_start(void);

/*
 * What the kernel side tells (enum left) of the file systems in `table` is not watched; to be called before anything is
 * watched. NULL: it tells nothing.
 */
void files_leave(int socket, __u32 leaves, struct left_system *table);

/* Watches the mount namespace of a process, unless it is watched already. */
void files_watch(int socket, __u32 pid, __u32 mount_namespace);

/* Something was mounted in a mount namespace, if that is watched. */
void files_mounted(int socket, __u32 mount_namespace);

/*
 * Takes one frame; its length, or 0 when there is none now. What the kernel's queue lost is added to `lost`. Negative:
 * the process is gone.
 */
long files_read(int socket, void *frame, size_t size, __u64 *lost);

#endif
