/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flow.h"
#include "output.h"
#include "privileges.h"

/* Flows that are taken out of a map at a time. One of its buckets may hold several, and comes as a whole. */
#define FLOWS_A_TURN 512
#define FLOWS_A_MESSAGE (FRAME_MAX / sizeof(struct frame_flow))
#define SOCKET_BYTES (4 << 20)
/* Microseconds after which no program writes any more into the map that was written before. */
#define GRACE 2000
/* How much longer it is from one walk over all sockets to the next than one takes. */
#define WALK_SHARE 400

struct reader {
	int socket, turn_map, maps[2];
	int sockets; /* link of the iterator over them (hooks/flow-socket.h) */
	__s64 next_walk; /* microseconds */
	__u32 turn;
	struct frame_flow frames[FLOWS_A_MESSAGE];
	size_t used;
};

static void read_flows(struct reader *reader, int interval_ms);

int flows_start(struct bpf_object *object, unsigned interval_ms)
{
	static struct reader reader;
	struct bpf_link *link = bpf_program__attach_iter(bpf_object__find_program_by_name(object, "flow_sockets"), NULL);
	int sockets[2], bytes = SOCKET_BYTES;
	pid_t child;

	if (!link || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return -1;
	setsockopt(sockets[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	child = fork();
	if (child != 0) {
		close(sockets[1]);
		if (child > 0)
			return sockets[0];
		close(sockets[0]);
		return -1;
	}
	close(sockets[0]);
	/* The reader of the sensor's output shall see its end when the sensor ends. */
	close(STDOUT_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "bulwark-flows");
	/* The sensor gets these as well, and then has this process tell what is left. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	keep_privileges(1ull << CAP_BPF);
	reader.socket = sockets[1];
	reader.sockets = bpf_link__fd(link);
	reader.turn_map = bpf_object__find_map_fd_by_name(object, "flow_turn");
	reader.maps[0] = bpf_object__find_map_fd_by_name(object, "flows_even");
	reader.maps[1] = bpf_object__find_map_fd_by_name(object, "flows_odd");
	read_flows(&reader, interval_ms);
	_exit(0);
}

long flows_read(int socket, void *frames, size_t size)
{
	ssize_t length = recv(socket, frames, size, MSG_DONTWAIT);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return length == 0 ? -1 : length;
}

void flows_end(int socket)
{
	shutdown(socket, SHUT_WR);
}

/* --- in the process of its own */

static bool send_frames(struct reader *reader)
{
	ssize_t sent = 0;

	/* Waits where the sensor is slow: meanwhile the kernel side counts on. */
	if (reader->used > 0)
		sent = send(reader->socket, reader->frames, reader->used * sizeof(*reader->frames), MSG_NOSIGNAL);
	reader->used = 0;
	return sent >= 0;
}

static bool tell(struct reader *reader, const struct flow_key *key, const struct flow *flow)
{
	struct frame_flow *frame = &reader->frames[reader->used++];

	frame_begin(&frame->header, FRAME_FLOW, sizeof(*frame));
	frame->start_time = flow->start_time;
	frame->cgroup = key->cgroup;
	frame->first = flow->first;
	frame->last = flow->last;
	frame->bytes_out = flow->bytes_out;
	frame->bytes_in = flow->bytes_in;
	frame->packets_out = flow->packets_out;
	frame->packets_in = flow->packets_in;
	frame->pid = flow->pid;
	frame->network_namespace = key->network_namespace;
	frame->begun = flow->begun;
	frame->established = flow->established;
	frame->refused = flow->refused;
	frame->timed_out = flow->timed_out;
	frame->denied = flow->denied;
	frame->encrypted = flow->encrypted;
	frame->policy = flow->policy;
	frame->port = key->port;
	frame->first_client_port = flow->first_client_port;
	frame->client_port = flow->client_port;
	frame->protocol = key->protocol;
	frame->role = key->role;
	memcpy(frame->local, flow->local, sizeof(frame->local));
	memcpy(frame->remote, key->remote, sizeof(frame->remote));
	memcpy(frame->name, key->name, sizeof(frame->name));
	frame->reserved = 0;
	return reader->used < FLOWS_A_MESSAGE || send_frames(reader);
}

static bool empty(struct reader *reader, int map)
{
	static struct flow_key keys[FLOWS_A_TURN];
	static struct flow flows[FLOWS_A_TURN];
	__u32 at = 0;
	bool is_first = true, is_last = false;

	while (!is_last) {
		__u32 count = FLOWS_A_TURN;

		if (bpf_map_lookup_and_delete_batch(map, is_first ? NULL : &at, &at, keys, flows, &count, NULL) != 0) {
			if (errno != ENOENT)
				return false;
			is_last = true;
		}
		is_first = false;
		for (__u32 i = 0; i < count; i++)
			if (!tell(reader, &keys[i], &flows[i]))
				return false;
	}
	return send_frames(reader);
}

static __s64 microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

/* Has the kernel side add what connections counted since. */
static void walk(struct reader *reader)
{
	__s64 begin = microseconds();
	char nothing[64];
	ssize_t size;
	int sockets = bpf_iter_create(reader->sockets);

	do
		size = read(sockets, nothing, sizeof(nothing));
	while (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)));
	if (sockets >= 0)
		close(sockets);
	reader->next_walk = begin + (microseconds() - begin) * WALK_SHARE;
}

/* False: nobody wants to know any more, or the kernel does not give them. */
static bool take_turn(struct reader *reader)
{
	__u32 zero = 0, next = reader->turn + 1;

	if (bpf_map_update_elem(reader->turn_map, &zero, &next, BPF_ANY) != 0)
		return false;
	usleep(GRACE);
	reader->turn = next;
	return empty(reader, reader->maps[(next + 1) & 1]);
}

static void read_flows(struct reader *reader, int interval_ms)
{
	struct pollfd sensor = { .fd = reader->socket, .events = POLLIN };
	bool is_wanted = true;

	while (is_wanted) {
		is_wanted = poll(&sensor, 1, interval_ms) == 0;
		if (!is_wanted || microseconds() >= reader->next_walk)
			walk(reader);
		if (!take_turn(reader))
			return;
	}
}
