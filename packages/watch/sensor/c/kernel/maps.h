/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps that more than one file uses; ../shared.h says what both sides know of them. */
#ifndef BULWARK_KERNEL_MAPS_H
#define BULWARK_KERNEL_MAPS_H

#include "../shared.h"

/* Written by the loader before load; the verifier drops what they switch off. A section of its own is a map of its own. */
const volatile struct settings settings SEC(".rodata.settings") = {};

const volatile struct call_table calls SEC(".rodata.calls") = {};

const volatile struct traced_table traced SEC(".rodata.traced") = {};

/* Written by find_host (hooks/host.h): of the first process that we can see, and of what started our container. */
struct {
	__u32 mount_namespace;
	__u32 network_namespace;
	__u32 pid_namespace;
	__u32 pid_level; /* 0 on a machine, more on a node that is a container */
	__u32 node_mount_namespace;
	__u32 node_network_namespace;
} host = {};

/* The loader sets the size: a power of two of pages. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/*
 * One element a CPU. An ordinary array, because only that can be mapped into memory: the loader reads it after it
 * gave up the right to call bpf(2).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_loss);
} losses SEC(".maps");

/* Mapped into memory for the same reason. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reader);
} reader SEC(".maps");

/* Mapped into memory for the same reason. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LEFT_SYSTEMS);
	__type(key, __u32);
	__type(value, struct left_system);
} left_systems SEC(".maps");

#endif
