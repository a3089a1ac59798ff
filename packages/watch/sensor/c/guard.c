/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "execs.h"
#include "inside.h"
#include "network.h"
#include "output.h"
#include "privileges.h"

#define MOST 256 /* policies at a time; the map has room for more */
#define TURN_MS 250
#define TELL_NS 1000000000ull
/* Seconds; a turn takes a quarter of one. What hangs longer than this is ended, and what it enforced with it. */
#define WATCHDOG 10

static const char *const network_programs[] = {
	"cut_connect4", "cut_connect6", "cut_sendmsg4", "cut_sendmsg6", "cut_socket", "cut_egress", "cut_ingress",
};
#define NETWORK_PROGRAMS (sizeof(network_programs) / sizeof(*network_programs))

struct enforced {
	__u64 id; /* 0: a place that is free */
	struct policy_key key;
	__u64 until;
	__u32 flags;
	int process; /* pidfd of a process of the container */
	int queue; /* of execs.h; -1: there is none */
	struct exec_rule *rule; /* of POLICY_EXEC */
	struct exec_count count;
	__u64 past; /* of POLICY_QUARANTINE: sockets that send past it */
	struct frame_enforcement told;
	__u64 told_at;
	/* Links of POLICY_CONNECT and POLICY_QUARANTINE; the second of them in a cgroup has none of its own. */
	struct bpf_link *links[NETWORK_PROGRAMS];
	size_t links_used;
};

struct guard {
	struct bpf_object *object;
	int cgroup_root, socket, policies, paths;
	bool is_orphan;
	struct bpf_link *exec_link;
	struct enforced all[MOST];
	char own_cgroup[EXEC_CGROUP_BYTES];
};

/* Why a command is refused, and how to mend that. */
static char refusal[512];

static void run(struct guard *guard);

bool guard_is_wanted(void)
{
	struct stat stat;

	return fstat(STDIN_FILENO, &stat) == 0 && (S_ISFIFO(stat.st_mode) || S_ISSOCK(stat.st_mode));
}

int guard_start(struct bpf_object *object, int cgroup_root)
{
	static struct guard guard;
	int sockets[2];
	pid_t child;

	if (!guard_is_wanted() || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return -1;
	child = fork();
	if (child != 0) {
		close(sockets[1]);
		close(STDIN_FILENO);
		if (child > 0)
			return sockets[0];
		close(sockets[0]);
		return -1;
	}
	close(sockets[0]);
	/* Whoever reads the sensor's output shall see its end. What outlives it gets no key of a terminal either. */
	close(STDOUT_FILENO);
	setsid();
	prctl(PR_SET_NAME, "bulwark-guard");
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	keep_privileges(1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH |
			1ull << CAP_NET_ADMIN | 1ull << CAP_BPF | 1ull << CAP_PERFMON);
	guard.object = object;
	guard.cgroup_root = cgroup_root;
	guard.socket = sockets[1];
	guard.policies = bpf_object__find_map_fd_by_name(object, "policies");
	guard.paths = bpf_object__find_map_fd_by_name(object, "policy_paths");
	network_open(object, cgroup_root);
	inside_cgroup(getpid(), guard.own_cgroup, sizeof(guard.own_cgroup));
	run(&guard);
	_exit(0);
}

long guard_read(int socket, void *frame, size_t size)
{
	ssize_t length = recv(socket, frame, size, MSG_DONTWAIT);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return length == 0 ? -1 : length;
}

/* --- in the process of its own */

__attribute__((format(printf, 1, 2))) static bool refuse(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(refusal, sizeof(refusal), format, values);
	va_end(values);
	return false;
}

static __u64 boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static struct enforced *find(struct guard *guard, __u64 id)
{
	for (size_t i = 0; i < MOST; i++)
		if (guard->all[i].id == id)
			return &guard->all[i];
	return NULL;
}

/* --- what is enforced, and its end */

static struct bpf_program *program(const struct guard *guard, const char *name)
{
	return bpf_object__find_program_by_name(guard->object, name);
}

/* Names from the leaf to the root, as the kernel side walks. False: it is too long, or no absolute path. */
static bool set_key(struct path_key *key, const char *path, __u8 *match)
{
	size_t length = strlen(path), at = 0;

	if (path[0] != '/' || length > PATH_NAMES_BYTES)
		return false;
	memset(key->names, 0, sizeof(key->names));
	*match = path[length - 1] == '/' ? PATH_BELOW : PATH_FILE;
	for (size_t end = length - (*match == PATH_BELOW); end > 0;) {
		size_t start = end;

		while (path[start - 1] != '/')
			start--;
		if (start == end)
			return false;
		memcpy(key->names + at, path + start, end - start);
		at += end - start + 1;
		end = start - 1;
	}
	return true;
}

static void forget_paths(const struct guard *guard, const struct enforced *one)
{
	struct path_key key = { .cgroup = one->key.cgroup };
	__u8 match;

	for (int i = 0; one->rule && i < one->rule->paths_used; i++)
		if (set_key(&key, one->rule->paths[i], &match))
			bpf_map_delete_elem(guard->paths, &key);
}

static bool put_paths(const struct guard *guard, const struct enforced *one)
{
	struct path_key key = { .cgroup = one->key.cgroup };

	for (int i = 0; i < one->rule->paths_used; i++) {
		const char *path = one->rule->paths[i];
		__u8 match, before = 0;

		if (!set_key(&key, path, &match))
			return refuse("%.200s is no absolute path of at most %d bytes\nName the program as it is called inside of the container.",
				      path, PATH_NAMES_BYTES);
		bpf_map_lookup_elem(guard->paths, &key, &before);
		match |= before;
		if (bpf_map_update_elem(guard->paths, &key, &match, BPF_ANY) != 0)
			return refuse("no room for more paths: %s\nUndo what is not needed any more.", strerror(errno));
	}
	return true;
}

static bool attach_network(struct guard *guard, struct enforced *one, int cgroup)
{
	for (size_t i = 0; i < MOST; i++)
		if (guard->all[i].links_used > 0 && guard->all[i].key.cgroup == one->key.cgroup)
			return true;
	for (size_t i = 0; i < NETWORK_PROGRAMS; i++) {
		struct bpf_link *link = bpf_program__attach_cgroup(program(guard, network_programs[i]), cgroup);

		if (!link)
			return refuse("the kernel does not attach %s: %s\nGive the agent CAP_NET_ADMIN and CAP_BPF.",
				      network_programs[i], strerror(errno));
		one->links[one->links_used++] = link;
	}
	return true;
}

/* Hands the links on to another policy of the cgroup, or takes them away. */
static void detach_network(struct guard *guard, struct enforced *one)
{
	for (size_t i = 0; i < MOST && one->links_used > 0; i++) {
		struct enforced *other = &guard->all[i];

		if (other == one || !other->id || other->key.cgroup != one->key.cgroup || other->key.kind == POLICY_EXEC)
			continue;
		memcpy(other->links, one->links, sizeof(one->links));
		other->links_used = one->links_used;
		one->links_used = 0;
	}
	for (size_t i = 0; i < one->links_used; i++)
		bpf_link__destroy(one->links[i]);
}

static bool is_exec_used(const struct guard *guard)
{
	for (size_t i = 0; i < MOST; i++)
		if (guard->all[i].id && guard->all[i].key.kind == POLICY_EXEC)
			return true;
	return false;
}

static bool attach_exec(struct guard *guard, struct enforced *one)
{
	if (!guard->exec_link)
		guard->exec_link = bpf_program__attach(program(guard, "end_exec"));
	if (!guard->exec_link)
		return refuse("the kernel does not attach end_exec: %s\nGive the agent CAP_BPF and CAP_PERFMON.", strerror(errno));
	/* Without a queue it is ended as it begins: that is told, and no reason to do nothing. */
	if (one->flags & POLICY_ENFORCE && !(one->flags & POLICY_KILL_ONLY))
		one->queue = execs_open(one->count.pid);
	return true;
}

static void tell(struct guard *guard, struct enforced *one, __u8 state)
{
	static __u8 bytes[sizeof(struct frame_enforcement) + sizeof(one->count.path)];
	struct policy policy = {};
	struct frame_enforcement frame = { .id = one->id, .state = state, .text_length = strlen(one->count.path) };

	bpf_map_lookup_elem(guard->policies, &one->key, &policy);
	frame.prevented = policy.prevented + one->count.refused;
	frame.caught = policy.caught;
	frame.missed = policy.missed + one->past;
	frame.pid = frame.text_length ? one->count.pid : 0;
	if (state == ENFORCEMENT_LASTS && frame.prevented == one->told.prevented && frame.caught == one->told.caught &&
	    frame.missed == one->told.missed)
		return;
	frame_begin(&frame.header, FRAME_ENFORCEMENT, sizeof(frame) + frame.text_length);
	memcpy(bytes, &frame, sizeof(frame));
	memcpy(bytes + sizeof(frame), one->count.path, frame.text_length);
	if (send(guard->socket, bytes, frame.header.length, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		one->told = frame;
}

static void clear(struct guard *guard, struct enforced *one)
{
	bpf_map_delete_elem(guard->policies, &one->key);
	forget_paths(guard, one);
	detach_network(guard, one);
	if (one->queue >= 0)
		close(one->queue);
	if (one->process >= 0)
		close(one->process);
	for (int i = 0; one->rule && i < one->rule->paths_used; i++)
		free(one->rule->paths[i]);
	if (one->rule && one->rule->upper >= 0)
		close(one->rule->upper);
	free(one->rule);
	memset(one, 0, sizeof(*one));
	if (guard->exec_link && !is_exec_used(guard)) {
		bpf_link__destroy(guard->exec_link);
		guard->exec_link = NULL;
	}
}

static void end(struct guard *guard, struct enforced *one, __u8 state)
{
	/* What still waits is answered by the kernel when the queue is closed: allowed. It is counted before. */
	if (one->queue >= 0)
		execs_answer(one->queue, one->rule, &one->count);
	tell(guard, one, state);
	clear(guard, one);
}

/* --- commands */

/* The cgroup of a container. Never one in which we are ourselves, nor the root, in which everybody is. */
static int open_cgroup(const struct guard *guard, const char *path, __u64 *number)
{
	size_t length = strlen(path);
	struct stat stat;
	int cgroup;

	if (guard->cgroup_root < 0) {
		refuse("there is no cgroup of version 2\nMount one where the agent runs.");
		return -1;
	}
	if (path[0] != '/' || length < 2 || length >= EXEC_CGROUP_BYTES || path[length - 1] == '/') {
		refuse("%.200s is no cgroup of a container\nIt needs a cgroup of version 2 of its own.", path);
		return -1;
	}
	if (strncmp(guard->own_cgroup, path, length) == 0 && (!guard->own_cgroup[length] || guard->own_cgroup[length] == '/')) {
		refuse("%.200s is the cgroup of the sensor itself\nName a container.", path);
		return -1;
	}
	cgroup = inside_open_cgroup(guard->cgroup_root, path + 1);
	if (cgroup < 0 || fstat(cgroup, &stat) != 0) {
		refuse("the cgroup %.200s is not there: %s\nThe container has ended.", path, strerror(errno));
		return -1;
	}
	*number = stat.st_ino;
	return cgroup;
}

static bool has_overlay(__u32 pid)
{
	struct statfs system = {};
	int root = inside_root(pid);

	if (root >= 0) {
		fstatfs(root, &system);
		close(root);
	}
	return system.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* The texts behind a command: as many as it says, each with its end. */
static bool read_texts(const struct command_set *command, const char *texts[], size_t count)
{
	const char *at = (const char *)(command + 1), *end = (const char *)command + command->header.length;

	for (size_t i = 0; i < count; i++) {
		size_t length = strnlen(at, end - at);

		if (at + length == end)
			return refuse("the command's texts are cut\nThis is a defect; please report it.");
		texts[i] = at;
		at += length + 1;
	}
	return at == end || refuse("the command has more texts than it says\nThis is a defect; please report it.");
}

static bool fill(struct guard *guard, struct enforced *one, const struct command_set *command, const char *texts[])
{
	struct policy policy = { .until = one->until, .flags = one->flags, .rules_used = command->rules };
	int cgroup = open_cgroup(guard, texts[0], &one->key.cgroup);
	bool done = false;

	if (cgroup < 0)
		return false;
	memcpy(policy.rules, command->peers, sizeof(policy.rules));
	for (size_t i = 0; i < MOST; i++)
		if (&guard->all[i] != one && guard->all[i].id && memcmp(&guard->all[i].key, &one->key, sizeof(one->key)) == 0) {
			one->key.cgroup = 0;
			close(cgroup);
			return refuse("this is enforced there already\nUndo that first.");
		}
	if (one->process < 0 || !inside_is_of(command->pid, texts[0])) {
		refuse("process %u is not in the cgroup %.200s\nThe container has ended.", command->pid, texts[0]);
	} else if (one->key.kind != POLICY_EXEC) {
		done = bpf_map_update_elem(guard->policies, &one->key, &policy, BPF_NOEXIST) == 0
			       ? attach_network(guard, one, cgroup)
			       : refuse("no room for another policy: %s\nUndo what is not needed any more.", strerror(errno));
		/* New packet sockets are refused; those that are open already send past all hooks. */
		if (done && one->key.kind == POLICY_QUARANTINE && one->flags & POLICY_ENFORCE)
			one->past = inside_packet_sockets(command->pid, texts[0]);
	} else if ((one->flags & (POLICY_UPPER | POLICY_MOUNT)) && !has_overlay(command->pid)) {
		refuse("the container's root is no overlay, so what is of its image cannot be told\nName paths instead.");
	} else {
		one->rule = calloc(1, sizeof(*one->rule));
		if (one->rule) {
			*one->rule = (struct exec_rule){ .flags = one->flags, .upper = execs_upper(command->pid) };
			snprintf(one->rule->cgroup, sizeof(one->rule->cgroup), "%s", texts[0]);
			for (int i = 0; i < command->paths; i++)
				if ((one->rule->paths[i] = strdup(texts[i + 1])))
					one->rule->paths_used++;
		}
		if (!one->rule || one->rule->paths_used < command->paths)
			refuse("no memory\nGive the machine more.");
		else if (put_paths(guard, one))
			done = bpf_map_update_elem(guard->policies, &one->key, &policy, BPF_NOEXIST) == 0
				       ? attach_exec(guard, one)
				       : refuse("no room for another policy: %s\nUndo what is not needed any more.", strerror(errno));
	}
	close(cgroup);
	return done;
}

static bool set(struct guard *guard, const struct command_set *command, __u8 *ways)
{
	const char *texts[PATHS_A_POLICY + 1];
	struct enforced *one = find(guard, 0);

	if (command->header.length < sizeof(*command) || command->kind >= POLICY_KINDS || command->rules > POLICY_RULES ||
	    command->paths > PATHS_A_POLICY || command->id == 0)
		return refuse("the command is none that is known\nThis is a defect; please report it.");
	if (!read_texts(command, texts, command->paths + 1))
		return false;
	if (command->nanoseconds == 0 || command->nanoseconds > LONGEST_POLICY)
		return refuse("it would last longer than a day, or no time at all\nGive it a time limit.");
	if (find(guard, command->id))
		return refuse("there is a policy of that number\nThis is a defect; please report it.");
	if (!one)
		return refuse("%d policies are enforced, which is as many as can be\nUndo what is not needed any more.", MOST);
	memset(one, 0, sizeof(*one));
	one->queue = -1;
	one->flags = command->flags;
	one->key.kind = command->kind;
	one->until = boot_time() + command->nanoseconds;
	one->count.pid = command->pid;
	one->process = syscall(SYS_pidfd_open, command->pid, 0);
	if (!fill(guard, one, command, texts)) {
		clear(guard, one);
		return false;
	}
	one->id = command->id;
	*ways = one->key.kind != POLICY_EXEC ? WAY_REFUSES_CONNECT | WAY_DROPS_PACKETS :
		one->queue >= 0		     ? WAY_REFUSES_EXEC | WAY_ENDS_EXEC :
					       WAY_ENDS_EXEC;
	return true;
}

static void answer(const struct guard *guard, __u64 id, bool is_done, __u8 ways)
{
	struct {
		struct frame_reply frame;
		char text[sizeof(refusal)];
	} whole = { .frame = { .id = id, .guard = getpid(), .is_refused = !is_done, .ways = ways } };

	whole.frame.text_length = is_done ? 0 : strlen(refusal);
	memcpy(whole.text, refusal, whole.frame.text_length);
	frame_begin(&whole.frame.header, FRAME_REPLY, sizeof(whole.frame) + whole.frame.text_length);
	send(guard->socket, &whole, whole.frame.header.length, MSG_NOSIGNAL);
}

static void take(struct guard *guard, const struct frame_header *command)
{
	const struct command_unset *unset = (const void *)command;
	bool is_done = false;
	__u8 ways = 0;

	if (command->type == COMMAND_SET) {
		is_done = set(guard, (const void *)command, &ways);
	} else if (command->type == COMMAND_UNSET) {
		struct enforced *one = unset->id ? find(guard, unset->id) : NULL;

		is_done = one || refuse("there is no such policy any more\nNothing is to be done.");
		if (one)
			end(guard, one, ENFORCEMENT_UNDONE);
	} else {
		const char *wrong = network_take(command);

		is_done = !wrong || refuse("%s", wrong);
		ways = WAY_REFUSES_CONNECT | WAY_DROPS_PACKETS;
	}
	answer(guard, unset->id, is_done, ways);
}

/* Reads what there is. False: no more commands will come, or what comes is none. */
static bool read_commands(struct guard *guard)
{
	static __u8 bytes[2 * FRAME_MAX] __attribute__((aligned(8)));
	static size_t used;
	ssize_t length = read(STDIN_FILENO, bytes + used, sizeof(bytes) - used);
	size_t at = 0;

	if (length <= 0)
		return length < 0 && (errno == EINTR || errno == EAGAIN);
	for (used += length; used - at >= sizeof(struct command_unset);) {
		static __u8 whole[FRAME_MAX] __attribute__((aligned(8)));
		struct frame_header header;

		memcpy(&header, bytes + at, sizeof(header));
		if (header.magic != FRAME_MAGIC || header.version != FRAME_VERSION || header.length > FRAME_MAX ||
		    header.length < sizeof(struct command_unset))
			_exit(2);
		if (used - at < header.length)
			break;
		memcpy(whole, bytes + at, header.length);
		take(guard, (const void *)whole);
		at += header.length;
	}
	used -= at;
	memmove(bytes, bytes + at, used);
	return true;
}

/* --- the loop */

/* The sensor is gone, or whoever could give commands. Returns whether something is left to be enforced. */
static bool orphan(struct guard *guard)
{
	bool is_left = false;

	guard->is_orphan = true;
	network_clear();
	for (size_t i = 0; i < MOST; i++) {
		struct enforced *one = &guard->all[i];

		if (one->id && !(one->flags & POLICY_OUTLIVES))
			end(guard, one, ENFORCEMENT_UNDONE);
		is_left |= one->id != 0;
	}
	return is_left;
}

static bool has_ended(int process)
{
	struct pollfd polled = { .fd = process, .events = POLLIN };

	return poll(&polled, 1, 0) > 0;
}

static void look_after(struct guard *guard)
{
	__u64 now = boot_time();

	for (size_t i = 0; i < MOST; i++) {
		struct enforced *one = &guard->all[i];

		if (!one->id)
			continue;
		if (now >= one->until)
			end(guard, one, ENFORCEMENT_TIME_IS_OVER);
		else if (has_ended(one->process))
			end(guard, one, ENFORCEMENT_CONTAINER_ENDED);
		else if (now - one->told_at >= TELL_NS) {
			one->told_at = now;
			tell(guard, one, ENFORCEMENT_LASTS);
		}
	}
}

static void run(struct guard *guard)
{
	static struct pollfd polled[MOST + 2];
	static struct enforced *asked[MOST + 2];

	for (;;) {
		size_t count = 2;

		alarm(WATCHDOG);
		/* A descriptor below 0 is passed over. */
		polled[0] = (struct pollfd){ .fd = guard->is_orphan ? -1 : STDIN_FILENO, .events = POLLIN };
		polled[1] = (struct pollfd){ .fd = guard->is_orphan ? -1 : guard->socket };
		for (size_t i = 0; i < MOST; i++)
			if (guard->all[i].id && guard->all[i].queue >= 0) {
				asked[count] = &guard->all[i];
				polled[count++] = (struct pollfd){ .fd = guard->all[i].queue, .events = POLLIN };
			}
		poll(polled, count, TURN_MS);
		for (size_t i = 2; i < count; i++)
			if (polled[i].revents)
				execs_answer(polled[i].fd, asked[i]->rule, &asked[i]->count);
		look_after(guard);
		if ((polled[0].revents && !read_commands(guard)) || polled[1].revents)
			guard->is_orphan = true;
		if (guard->is_orphan && !orphan(guard))
			return;
	}
}
