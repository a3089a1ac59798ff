/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows, which the kernel side counts in maps: a process of its own reads them, because that takes a right (CAP_BPF) which the
 * sensor itself does not keep. Each time it has the kernel side write into the other map, and empties the one before.
 */
#ifndef BULWARK_FLOWS_H
#define BULWARK_FLOWS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

/*
 * Starts it; to be called after the programs are loaded, while all rights are there. The socket from it, or -1 where it
 * cannot be started.
 */
int flows_start(struct bpf_object *object, unsigned interval_ms);

/* Takes what it says: frames without gaps; their length together, or 0 when there is nothing now. Negative: it is gone. */
long flows_read(int socket, void *frames, size_t size);

/* Has it tell what is counted by now, and end. */
void flows_end(int socket);

#endif
