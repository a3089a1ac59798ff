/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that enforces: it takes commands (command.h) from standard input, keeps the rights that setting policies takes,
 * and watches their time. Each ends by itself when that is over, and with the sensor, unless it was told to outlive it: then
 * this process stays until the last of them is over. When this process ends, for whatever reason, the kernel takes away
 * all that it enforced. One that hangs is ended by its own alarm, so that no exec waits for it for long.
 */
#ifndef BULWARK_GUARD_H
#define BULWARK_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

/* Whether somebody can send commands: standard input is a pipe or a socket. */
bool guard_is_wanted(void);

/*
 * Starts it; to be called after the programs are loaded, before any is attached, while all rights are there. The socket
 * from it, or -1 where nobody can send commands, because standard input is no pipe or socket.
 */
int guard_start(struct bpf_object *object, int cgroup_root);

/* Takes one frame; its length, or 0 when there is none now. Negative: the process is gone. */
long guard_read(int socket, void *frame, size_t size);

#endif
