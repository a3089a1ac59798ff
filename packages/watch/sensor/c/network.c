/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

static const char *const programs[] = { "net_connect4", "net_connect6", "net_egress", "net_ingress" };
#define PROGRAMS (sizeof(programs) / sizeof(*programs))

/* What was put into a map under the number of a table, to take it out again. */
struct keys {
	__u8 *bytes;
	size_t used, room;
};
struct table {
	__u32 number; /* 0: there is none */
	struct keys prefixes, cells, sets;
};
struct staged {
	__u64 cgroup;
	struct net_pod pod;
};

static struct {
	struct bpf_object *object;
	int cgroup_root, prefixes, cells, sets, pods;
	struct bpf_link *links[PROGRAMS];
	struct table now, next;
	struct staged staged[NET_PODS];
	size_t staged_used;
	__u64 held[NET_PODS]; /* cgroups in the map */
	size_t held_used;
	__u32 last_number;
} network;

static char reason[256];

static const char *refuse(const char *what, const char *mend)
{
	snprintf(reason, sizeof(reason), "%s: %s\n%s", what, strerror(errno), mend);
	return reason;
}

static bool keep(struct keys *keys, const void *key, size_t size)
{
	if (keys->used + size > keys->room) {
		size_t room = keys->room ? 2 * keys->room : 4096;
		__u8 *bytes = realloc(keys->bytes, room);

		if (!bytes)
			return false;
		keys->bytes = bytes;
		keys->room = room;
	}
	memcpy(keys->bytes + keys->used, key, size);
	keys->used += size;
	return true;
}

static void take_out(int map, struct keys *keys, size_t size)
{
	for (size_t at = 0; at < keys->used; at += size)
		bpf_map_delete_elem(map, keys->bytes + at);
	free(keys->bytes);
	*keys = (struct keys){};
}

static void forget(struct table *table)
{
	take_out(network.prefixes, &table->prefixes, sizeof(struct net_prefix));
	take_out(network.cells, &table->cells, sizeof(struct net_cell));
	take_out(network.sets, &table->sets, sizeof(struct net_set));
	table->number = 0;
}

void network_open(struct bpf_object *object, int cgroup_root)
{
	network.object = object;
	network.cgroup_root = cgroup_root;
	network.prefixes = bpf_object__find_map_fd_by_name(object, "net_prefixes");
	network.cells = bpf_object__find_map_fd_by_name(object, "net_cells");
	network.sets = bpf_object__find_map_fd_by_name(object, "net_sets");
	network.pods = bpf_object__find_map_fd_by_name(object, "net_pods");
}

static const char *put(int map, struct keys *keys, const void *key, size_t size, const void *value)
{
	if (bpf_map_update_elem(map, key, value, BPF_ANY) != 0)
		return refuse("no room for the network policies", "Fewer, or less different policies are needed on this node.");
	return keep(keys, key, size) ? NULL : refuse("no memory for the network policies", "Give the machine more.");
}

static const char *put_prefixes(const struct command_net *command)
{
	const struct command_prefix *entry = (const void *)(command + 1);
	const char *wrong = NULL;

	for (__u32 i = 0; i < command->count && !wrong; i++, entry++) {
		struct net_prefix key = { .bits = 32 + entry->bits, .table = network.next.number };

		if (entry->bits > 128)
			return "a prefix has more than 128 bits\nThis is a defect; please report it.";
		memcpy(key.address, entry->address, sizeof(key.address));
		wrong = put(network.prefixes, &network.next.prefixes, &key, sizeof(key), &entry->class);
	}
	return wrong;
}

static const char *put_cells(const struct command_net *command)
{
	const struct command_cell *entry = (const void *)(command + 1);
	const char *wrong = NULL;

	for (__u32 i = 0; i < command->count && !wrong; i++, entry++) {
		struct net_cell key = { .table = network.next.number, .row = entry->row, .class = entry->class };

		wrong = put(network.cells, &network.next.cells, &key, sizeof(key), &entry->set);
	}
	return wrong;
}

static const char *put_sets(const struct command_net *command)
{
	const struct command_ports *entry = (const void *)(command + 1);
	const char *wrong = NULL;

	for (__u32 i = 0; i < command->count && !wrong; i++, entry++) {
		struct net_set key = { .table = network.next.number, .set = entry->set };
		struct net_ports ports = { .used = entry->used };

		if (entry->used > NET_RANGES)
			return "a set has more ranges of ports than there may be\nThis is a defect; please report it.";
		memcpy(ports.ranges, entry->ranges, sizeof(ports.ranges));
		wrong = put(network.sets, &network.next.sets, &key, sizeof(key), &ports);
	}
	return wrong;
}

static const char *stage_pod(const struct command_pod *command)
{
	const char *path = (const char *)(command + 1);
	size_t length = command->header.length - sizeof(*command);
	struct staged *staged = &network.staged[network.staged_used];
	struct stat stat;
	int cgroup;

	if (length < 3 || path[length - 1] != 0 || path[0] != '/' || strnlen(path, length) != length - 1)
		return "a pod's cgroup is no path\nThis is a defect; please report it.";
	if (network.staged_used == NET_PODS)
		return "there are more cgroups than can be enforced\nFewer containers are needed on this node.";
	cgroup = inside_open_cgroup(network.cgroup_root, path + 1);
	if (cgroup < 0)
		return NULL;
	if (fstat(cgroup, &stat) == 0) {
		staged->cgroup = stat.st_ino;
		staged->pod = (struct net_pod){
			.table = network.next.number,
			.ingress = command->ingress,
			.egress = command->egress,
		};
		network.staged_used++;
	}
	close(cgroup);
	return NULL;
}

static void detach(void)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		bpf_link__destroy(network.links[i]);
		network.links[i] = NULL;
	}
}

static const char *attach(void)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (network.links[i])
			continue;
		network.links[i] = bpf_program__attach_cgroup(bpf_object__find_program_by_name(network.object, programs[i]),
							      network.cgroup_root);
		if (!network.links[i]) {
			refuse("the kernel does not attach what enforces network policies", "Give the agent CAP_NET_ADMIN and CAP_BPF.");
			detach();
			return reason;
		}
	}
	return NULL;
}

static bool is_staged(__u64 cgroup)
{
	for (size_t i = 0; i < network.staged_used; i++)
		if (network.staged[i].cgroup == cgroup)
			return true;
	return false;
}

/* Each pod goes from one table to the other at once; between the first of them and the last, both hold. */
static const char *commit(void)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < network.staged_used; i++)
		if (bpf_map_update_elem(network.pods, &network.staged[i].cgroup, &network.staged[i].pod, BPF_ANY) != 0)
			wrong = refuse("no room for a pod", "Fewer pods are needed on this node.");
	for (size_t i = 0; i < network.held_used; i++)
		if (!is_staged(network.held[i]))
			bpf_map_delete_elem(network.pods, &network.held[i]);
	network.held_used = network.staged_used;
	for (size_t i = 0; i < network.staged_used; i++)
		network.held[i] = network.staged[i].cgroup;
	forget(&network.now);
	network.now = network.next;
	memset(&network.next, 0, sizeof(network.next));
	network.staged_used = 0;
	if (network.held_used == 0)
		detach();
	else if (!wrong)
		wrong = attach();
	return wrong;
}

static bool has_entries(const struct frame_header *command, size_t size)
{
	const struct command_net *net = (const void *)command;

	return command->length >= sizeof(*net) && (command->length - sizeof(*net)) / size == net->count &&
	       (command->length - sizeof(*net)) % size == 0;
}

const char *network_take(const struct frame_header *command)
{
	const struct command_net *net = (const void *)command;

	if (network.prefixes < 0)
		return "this kernel does not take what enforces network policies\nRun the sensor with --verbose to see why.";
	if (network.cgroup_root < 0)
		return "there is no cgroup of version 2\nMount one where the agent runs.";
	if (command->type == COMMAND_NET_BEGIN) {
		forget(&network.next);
		network.staged_used = 0;
		network.next.number = ++network.last_number;
		return NULL;
	}
	if (network.next.number == 0)
		return "no table was begun\nThis is a defect; please report it.";
	if (command->type == COMMAND_NET_PREFIXES && has_entries(command, sizeof(struct command_prefix)))
		return put_prefixes(net);
	if (command->type == COMMAND_NET_CELLS && has_entries(command, sizeof(struct command_cell)))
		return put_cells(net);
	if (command->type == COMMAND_NET_SETS && has_entries(command, sizeof(struct command_ports)))
		return put_sets(net);
	if (command->type == COMMAND_NET_POD && command->length > sizeof(struct command_pod))
		return stage_pod((const void *)command);
	if (command->type == COMMAND_NET_COMMIT)
		return commit();
	return "the command is none that is known\nThis is a defect; please report it.";
}

void network_clear(void)
{
	detach();
	for (size_t i = 0; i < network.held_used; i++)
		bpf_map_delete_elem(network.pods, &network.held[i]);
	network.held_used = 0;
	forget(&network.next);
	forget(&network.now);
}
