/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulwark-sensor: what containers do, from the kernel to standard output as frames (frame.h). Loads and attaches the
 * kernel side, gives up every capability, then only moves bytes. README.md is for users of it.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "files.h"
#include "flows.h"
#include "guard.h"
#include "load.h"
#include "marks.h"
#include "output.h"
#include "privileges.h"

/*
 * Milliseconds. The ring buffer does not wake us: this is how long an event waits at most, and how often at most our
 * reader is woken.
 */
#define PAUSE 10
/* Turns without anything, after which we have the kernel side wake us, and sleep for so many milliseconds at most. */
#define QUIET_TURNS 5
#define SLEEP 250
/* Frames taken in before what we have is written, so that a flood from the kernel cannot hold up the output. */
#define FRAMES_A_TURN 4096
/* Milliseconds that the last flows are waited for at the end. */
#define END_LIMIT 1000
#define LOSS_PERIOD_NS 1000000000ll
#define CLOCK_TOLERANCE_NS 1000000ll

struct turn {
	struct output output;
	int frames;
	int files; /* socket to the process that watches files; -1: there is none */
	__u64 files_lost;
};

static volatile sig_atomic_t is_over;

static void parse_options(int count, char **values, struct load_options *options, size_t *buffer_bytes);
static void end_with_parent(void);
static void *read_snapshot(void *fd);
static int receive(void *turn, void *frame, size_t length);
static void send_ready(struct turn *turn, const char *hooks);
static void send_clock(struct output *output);
static void take_files(struct turn *turn, struct ring_buffer *ring);
static void take_answers(struct turn *turn, int guard);
static bool take_flows(struct turn *turn, int flows);
static void take_last_flows(struct turn *turn, int flows);
static void send_loss(struct turn *turn, const struct loaded *loaded, bool at_once);
static void say_the_rest(struct turn *turn, const struct loaded *loaded);
static bool rest(struct turn *turn, const struct loaded *loaded);

int main(int count, char **values)
{
	struct load_options options = { .ring_bytes = 8 << 20, .rate = 20000 };
	size_t buffer_bytes = 8 << 20;
	struct turn turn = {};
	pthread_t snapshot;

	parse_options(count, values, &options, &buffer_bytes);
	end_with_parent();
	require_privileges();
	turn.files = files_start();
	struct loaded loaded = load(&options, receive, &turn);
	files_leave(turn.files, loaded.leaves, loaded.left_systems);
	keep_privileges(0);
	output_open(&turn.output, STDOUT_FILENO, buffer_bytes);
	send_clock(&turn.output);
	send_ready(&turn, loaded.hooks);
	/* Beside the loop, so that the ring buffer is emptied while the snapshot fills it. */
	if (pthread_create(&snapshot, NULL, read_snapshot, &loaded.snapshot) != 0)
		fail("cannot start a thread", "Raise the limit of processes (ulimit -u, pids.max).", "%s", strerror(errno));

	for (;;) {
		turn.frames = 0;
		ring_buffer__consume(loaded.ring);
		take_files(&turn, loaded.ring);
		take_answers(&turn, loaded.guard);
		if (is_over)
			take_last_flows(&turn, loaded.flows);
		else if (!take_flows(&turn, loaded.flows))
			fail("the process that reads flows ended", "Start the sensor again.", "its socket is closed");
		send_clock(&turn.output);
		send_loss(&turn, &loaded, false);
		if (!output_flush(&turn.output))
			break;
		if (is_over) {
			say_the_rest(&turn, &loaded);
			break;
		}
		if (!rest(&turn, &loaded))
			break;
	}
	/* Not exit(): the snapshot may still be read, and everything here is the kernel's to clean up. */
	_exit(0);
}

/* Between two turns. False: nobody reads any more. */
static bool rest(struct turn *turn, const struct loaded *loaded)
{
	struct pollfd all[] = {
		{ .fd = STDOUT_FILENO, .events = turn->output.used > 0 ? POLLOUT : 0 },
		{ .fd = ring_buffer__epoll_fd(loaded->ring), .events = POLLIN },
		{ .fd = turn->files, .events = POLLIN },
		{ .fd = loaded->guard, .events = POLLIN },
		{ .fd = loaded->flows, .events = POLLIN },
	};
	static __u64 told;
	static int quiet;
	int ready;

	quiet = turn->output.sequence != told || turn->output.used > 0 ? 0 : quiet + 1;
	told = turn->output.sequence;
	if (quiet < QUIET_TURNS) {
		ready = poll(all, 1, turn->frames >= FRAMES_A_TURN ? 0 : PAUSE);
	} else {
		__atomic_store_n(&loaded->reader->sleeps, 1, __ATOMIC_SEQ_CST);
		ready = poll(all, sizeof(all) / sizeof(*all), SLEEP);
		__atomic_store_n(&loaded->reader->sleeps, 0, __ATOMIC_SEQ_CST);
	}
	return ready <= 0 || !(all[0].revents & (POLLERR | POLLHUP | POLLNVAL));
}

static size_t size_option(const char *name, const char *text, size_t least)
{
	char *end;
	unsigned long long size = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || size < least || size > 1ull << 30)
		fail("wrong option", "Give a number.", "--%s %s: not between %zu and 1073741824", name, text, least);
	return size;
}

static void parse_options(int count, char **values, struct load_options *options, size_t *buffer_bytes)
{
	static const struct option known[] = {
		{ "host", no_argument, NULL, 'h' },
		{ "ring", required_argument, NULL, 'r' },
		{ "buffer", required_argument, NULL, 'b' },
		{ "rate", required_argument, NULL, 'e' },
		{ "calls", required_argument, NULL, 'a' },
		{ "opened", required_argument, NULL, 'o' },
		{ "changed", required_argument, NULL, 'd' },
		{ "environment", no_argument, NULL, 'n' },
		{ "courses", no_argument, NULL, 'u' },
		{ "flows", required_argument, NULL, 'f' },
		{ "no-casts", no_argument, NULL, 'c' },
		{ "verbose", no_argument, NULL, 'v' },
		{},
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(count, values, "", known, NULL)) != -1) {
		if (option == 'h')
			options->host = true;
		else if (option == 'c')
			options->no_casts = true;
		else if (option == 'v')
			options->verbose = true;
		else if (option == 'a')
			options->calls = optarg;
		else if (option == 'o')
			marks_want(optarg);
		else if (option == 'd')
			marks_want_changes(optarg);
		else if (option == 'n')
			options->environment = true;
		else if (option == 'u')
			options->courses = true;
		else if (option == 'e')
			options->rate = size_option("rate", optarg, 1);
		else if (option == 'f')
			options->flow_ms = size_option("flows", optarg, 10);
		else if (option == 'r')
			options->ring_bytes = size_option("ring", optarg, sysconf(_SC_PAGESIZE));
		else if (option == 'b')
			*buffer_bytes = size_option("buffer", optarg, 2 * FRAME_MAX);
		else
			fail("wrong option", "Known are --host, --ring BYTES, --buffer BYTES, --rate EVENTS, --calls NAMES, --opened PATHS, --changed PATHS, --environment, --courses, --flows MILLISECONDS, --no-casts, --verbose.", "%s",
			     values[optind - 1]);
	}
	if (optind < count)
		fail("wrong option", "Known are --host, --ring BYTES, --buffer BYTES, --rate EVENTS, --calls NAMES, --opened PATHS, --changed PATHS, --environment, --courses, --flows MILLISECONDS, --no-casts, --verbose.", "%s", values[optind]);
	if (options->ring_bytes & (options->ring_bytes - 1))
		fail("wrong option", "Give a power of two.", "--ring %zu", options->ring_bytes);
	if (isatty(STDOUT_FILENO))
		fail("standard output is a terminal", "Send it to a program or a file.", "frames are not text");
}

static void stop(int signal)
{
	(void)signal;
	is_over = 1;
}

/* The signal stays set: capabilities only become fewer (kernel/cred.c, commit_creds()). */
static void end_with_parent(void)
{
	const struct sigaction end = { .sa_handler = stop }, ignore = { .sa_handler = SIG_IGN };
	pid_t parent = getppid();

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
}

/* Reading drives the iterator; its frames go to the ring buffer among the others, so that they are in order. */
static void *read_snapshot(void *fd)
{
	char nothing[4096];
	ssize_t size;

	do
		size = read(*(int *)fd, nothing, sizeof(nothing));
	while (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)));
	close(*(int *)fd);
	return NULL;
}

/* A mount that was granted; the call is still under way. */
static bool is_mount(const struct frame_call *call)
{
	return call->answer == ANSWER_GRANTED && call->architecture == ARCHITECTURE_NATIVE &&
	       (call->number == SYS_mount || call->number == SYS_move_mount);
}

/* Called for each record of the ring buffer; a negative result ends the turn after it. */
static int receive(void *context, void *frame, size_t length)
{
	struct turn *turn = context;
	const struct frame_process *process = frame;

	if ((process->header.type == FRAME_EXEC || process->header.type == FRAME_SNAPSHOT) && length > sizeof(*process))
		files_watch(turn->files, process->pid, process->mount_namespace);
	const struct frame_call *call = frame;
	if (process->header.type == FRAME_CALL && length >= sizeof(*call) && is_mount(call))
		files_mounted(turn->files, call->actor.mount_namespace);
	output_event(&turn->output, frame, length);
	return ++turn->frames >= FRAMES_A_TURN ? -ECANCELED : 0;
}

static void send_ready(struct turn *turn, const char *hooks)
{
	struct {
		struct frame_header header;
		char text[sizeof(((struct loaded *)0)->hooks) + sizeof(FILES_HOOKS)];
	} frame;
	int length = snprintf(frame.text, sizeof(frame.text), "%s%s", hooks, turn->files >= 0 ? FILES_HOOKS : "");

	frame_begin(&frame, FRAME_READY, sizeof(frame.header) + length);
	output_notice(&turn->output, &frame, sizeof(frame.header) + length);
}

/*
 * What the process that watches files has to say, a bounded share of it. Before each of it goes what the ring has by then: the
 * program that touched a file began before it did.
 */
static void take_files(struct turn *turn, struct ring_buffer *ring)
{
	static __u8 frame[FRAME_MAX];
	long length = 0;

	for (int i = 0; i < FRAMES_A_TURN && turn->files >= 0; i++) {
		length = files_read(turn->files, frame, sizeof(frame), &turn->files_lost);
		if (length <= 0)
			break;
		ring_buffer__consume(ring);
		output_event(&turn->output, frame, length);
	}
	/* Without it we see less than we said: whoever started us starts us again. */
	if (length < 0)
		fail("the process that watches files ended", "Start the sensor again.", "its socket is closed");
}

/* What the process that enforces has to say. */
static void take_answers(struct turn *turn, int guard)
{
	static __u8 frame[FRAME_MAX];
	long length = 0;

	for (int i = 0; i < FRAMES_A_TURN && guard >= 0; i++) {
		length = guard_read(guard, frame, sizeof(frame));
		if (length <= 0)
			break;
		output_notice(&turn->output, frame, length);
	}
	if (length < 0)
		fail("the process that enforces ended", "Start the sensor again.", "its socket is closed");
}

/* What the process that reads flows has to say, a bounded share of it. False: it is gone. */
static bool take_flows(struct turn *turn, int flows)
{
	static __u8 frames[FRAME_MAX];
	long length = 0;

	for (int taken = 0; taken < FRAMES_A_TURN && flows >= 0; taken += length / sizeof(struct frame_flow)) {
		length = flows_read(flows, frames, sizeof(frames));
		if (length <= 0)
			break;
		for (long at = 0; at + (long)sizeof(struct frame_flow) <= length; at += sizeof(struct frame_flow))
			output_event(&turn->output, frames + at, sizeof(struct frame_flow));
	}
	return length >= 0;
}

/* What is counted since it spoke last. */
static void take_last_flows(struct turn *turn, int flows)
{
	struct pollfd last = { .fd = flows, .events = POLLIN };

	if (flows < 0)
		return;
	flows_end(flows);
	while (poll(&last, 1, END_LIMIT) > 0 && take_flows(turn, flows))
		output_flush(&turn->output);
}

static __s64 nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Tells where the wall clock is, at first and when it was set or crept away. */
static void send_clock(struct output *output)
{
	static __s64 told;
	__s64 before = nanoseconds(CLOCK_BOOTTIME), wall = nanoseconds(CLOCK_REALTIME);
	__s64 offset = wall - before, moved = offset > told ? offset - told : told - offset;
	struct frame_clock frame;

	/* Between the two readings we may have lost the CPU: then they say nothing. */
	if (moved < CLOCK_TOLERANCE_NS || (told && nanoseconds(CLOCK_BOOTTIME) - before > CLOCK_TOLERANCE_NS / 4))
		return;
	frame_begin(&frame, FRAME_CLOCK, sizeof(frame));
	frame.offset = offset;
	if (output_notice(output, &frame, sizeof(frame)))
		told = offset;
}

/* Tells what was lost, at most once a second and only when it became more. */
static void send_loss(struct turn *turn, const struct loaded *loaded, bool at_once)
{
	struct output *output = &turn->output;
	static __u64 told;
	static __s64 told_at;
	__s64 now = nanoseconds(CLOCK_BOOTTIME);
	struct frame_loss frame = { .pipe = output->dropped, .files = turn->files_lost };

	if (now - told_at < LOSS_PERIOD_NS && !at_once)
		return;
	for (int cpu = 0; cpu < loaded->cpus; cpu++) {
		frame.ring += __atomic_load_n(&loaded->losses[cpu].ring, __ATOMIC_RELAXED);
		frame.unreadable += __atomic_load_n(&loaded->losses[cpu].unreadable, __ATOMIC_RELAXED);
		frame.limited += __atomic_load_n(&loaded->losses[cpu].limited, __ATOMIC_RELAXED);
		frame.flows += __atomic_load_n(&loaded->losses[cpu].flows, __ATOMIC_RELAXED);
	}
	__u64 sum = frame.ring + frame.pipe + frame.unreadable + frame.limited + frame.files +
		    frame.flows;
	if (sum == told)
		return;
	frame_begin(&frame, FRAME_LOSS, sizeof(frame));
	if (output_notice(output, &frame, sizeof(frame))) {
		told = sum;
		told_at = now;
	}
}

/* What waits in the ring and in the output, for as long as the reader goes on taking it; then what was lost. */
static void say_the_rest(struct turn *turn, const struct loaded *loaded)
{
	struct output *output = &turn->output;
	struct pollfd reader = { .fd = output->fd, .events = POLLOUT };
	__s64 begin = nanoseconds(CLOCK_BOOTTIME);

	/* Programs still add to the ring: what it holds now is taken, and what comes meanwhile for a second. */
	do {
		turn->frames = 0;
		ring_buffer__consume(loaded->ring);
		take_files(turn, loaded->ring);
	} while (output_flush(output) && turn->frames >= FRAMES_A_TURN && nanoseconds(CLOCK_BOOTTIME) - begin < LOSS_PERIOD_NS);
	send_loss(turn, loaded, true);
	while (output->used > 0 && poll(&reader, 1, END_LIMIT) > 0 && !(reader.revents & (POLLERR | POLLNVAL)) &&
	       output_flush(output))
		;
}
