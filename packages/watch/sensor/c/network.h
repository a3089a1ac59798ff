/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network policies of the pods of this machine, in the process that enforces (guard.h): fills the maps that
 * hooks/network-policy.h asks, and attaches its programs while there is anything to ask. What was not committed is as if it had
 * not been sent. When this process ends all is open.
 */
#ifndef BULWARK_NETWORK_H
#define BULWARK_NETWORK_H

#include <linux/types.h>
#include <stdbool.h>

#include "command.h"

struct bpf_object;

void network_open(struct bpf_object *object, int cgroup_root);

/* Takes a command of COMMAND_NET_BEGIN and after; NULL, or why not and how to mend that. */
const char *network_take(const struct frame_header *command);

/* Lets go of everything. */
void network_clear(void);

#endif
