/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the techniques of the tests do that no program of a small image does: one system call each, wrong or refused, so
 * that nothing comes of it. In the image it has many names; without a deed to do it is a program of that name which ends.
 *
 *     NAME do DEED [ARGUMENT…]     NAME run PROGRAM [ARGUMENT…]: starts it as its child
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void run(char **command)
{
	if (fork() == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	wait(NULL);
}

/* memory FILE ARGUMENT…: executes a copy of the file that is in memory only. */
static void memory(char **arguments)
{
	static char buffer[1 << 16];
	ssize_t size;
	int from = open(arguments[0], O_RDONLY | O_CLOEXEC), to = memfd_create("payload", MFD_CLOEXEC);

	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, size) != size)
			err(1, "memfd");
	fexecve(to, arguments, environ);
}

/* deleted FILE ARGUMENT…: executes the file after its name has gone. */
static void deleted(char **arguments)
{
	int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);

	unlink(arguments[0]);
	fexecve(fd, arguments, environ);
}

/* unix NAME: connects to a socket that nobody has; an @ before the name makes it abstract. */
static void unix_socket(char **arguments)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(arguments[0]);

	memcpy(address.sun_path, arguments[0], length);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = 0;
	else
		length++;
	connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length);
}

/* tcp ADDRESS PORT: connects, and ends. */
static void tcp(char **arguments)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])) };

	inet_pton(AF_INET, arguments[0], &peer.sin_addr);
	connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&peer, sizeof(peer));
}

/* ask NAME KIND: gives itself the answer of a name server, 192.0.2.7. */
static void ask(char **arguments)
{
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from;
	int serving = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), asking = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned char message[512] = { 0, 1, 1, 0, 0, 1 };
	static const unsigned char answer[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7 };
	socklen_t length = sizeof(from);
	size_t at = 12;

	if (bind(serving, (struct sockaddr *)&server, sizeof(server)))
		err(1, "port 53");
	for (char *label = strtok(arguments[0], "."); label && at < 400; label = strtok(NULL, ".")) {
		message[at++] = strlen(label);
		at = stpncpy((char *)message + at, label, 63) - (char *)message;
	}
	message[at + 2] = atoi(arguments[1]);
	message[at + 4] = 1;
	at += 5;
	sendto(asking, message, at, 0, (struct sockaddr *)&server, sizeof(server));
	recvfrom(serving, message, at, 0, (struct sockaddr *)&from, &length);
	message[2] = 0x81;
	message[7] = 1;
	memcpy(message + at, answer, sizeof(answer));
	sendto(serving, message, at + sizeof(answer), 0, (struct sockaddr *)&from, length);
	recv(asking, message, sizeof(message), 0);
}

/* another DEED: does it to a process of another user. */
static void another(char **arguments)
{
	static char here[16];
	int ready[2];
	struct iovec own = { here, sizeof(here) }, theirs = { here, sizeof(here) };

	if (pipe(ready))
		err(1, "pipe");
	pid_t child = fork();
	if (child == 0) {
		if (setuid(1000))
			err(1, "setuid");
		close(ready[0]);
		close(ready[1]);
		sleep(10);
		_exit(0);
	}
	close(ready[1]);
	read(ready[0], here, 1);
	if (strcmp(arguments[0], "trace") == 0)
		ptrace(PTRACE_ATTACH, child, 0, 0);
	else if (strcmp(arguments[0], "read") == 0)
		process_vm_readv(child, &own, 1, &theirs, 1, 0);
	else
		syscall(SYS_process_madvise, syscall(SYS_pidfd_open, child, 0), &theirs, 1, 20 /* MADV_COLD */, 0);
	kill(child, SIGKILL);
}

/* traced: wants to be, and is, by a parent of the same user. */
static void traced(char **arguments)
{
	pid_t child = fork();

	(void)arguments;
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	child = fork();
	if (child == 0) {
		sleep(10);
		_exit(0);
	}
	ptrace(PTRACE_ATTACH, child, 0, 0);
	kill(child, SIGKILL);
}

/* flood COUNT: as many refused calls, each with other arguments. */
static void flood(char **arguments)
{
	for (int count = atoi(arguments[0]); count > 0; count--)
		sethostname("", count);
}

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* steady RATE SECONDS: so many refused calls a second, each with other arguments; prints how many it made. */
static void steady(char **arguments)
{
	long rate = atol(arguments[0]), made = 0;
	long long begin = nanoseconds(), end = begin + atoll(arguments[1]) * 1000000000ll, now;

	while ((now = nanoseconds()) < end) {
		/* One that is behind makes up for it, a hundredth of a second's worth at a time. */
		long due = (now - begin) / 1000000 * rate / 1000;
		for (long until = made + rate / 100; made < due && made < until; made++)
			sethostname("", made + 1);
		usleep(1000);
	}
	printf("%ld\n", made);
}

/* opens COUNT FILE: opens and closes it so often. */
static void opens(char **arguments)
{
	for (long count = atol(arguments[0]); count > 0; count--)
		close(open(arguments[1], O_RDONLY));
}

/* bytes COUNT: reads and writes a byte so often, as dd does with bs=1. */
static void bytes(char **arguments)
{
	int from = open("/dev/zero", O_RDONLY), to = open("/dev/null", O_WRONLY);
	char byte;

	for (long count = atol(arguments[0]); count > 0; count--)
		if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
			err(1, "byte");
}

/* starts COUNT PROGRAM: starts it and waits for it so often. */
static void starts(char **arguments)
{
	for (long count = atol(arguments[0]); count > 0; count--)
		run(arguments + 1);
}

/* storm MILLISECONDS: starts itself without a deed as fast as it can, with a hundred alive at most; prints how many it started. */
static void storm(char **arguments)
{
	long long end = nanoseconds() + atoll(arguments[0]) * 1000000ll;
	char *nothing[] = { "storm", NULL };
	long made = 0;
	int living = 0;

	while (nanoseconds() < end) {
		pid_t child = fork();
		if (child == 0) {
			execv("/proc/self/exe", nothing);
			_exit(127);
		}
		if (child > 0) {
			made++;
			living++;
		}
		while (living > 0 && waitpid(-1, NULL, child < 0 || living >= 100 ? 0 : WNOHANG) > 0)
			living--;
	}
	while (wait(NULL) > 0)
		;
	printf("%ld\n", made);
}

/*
 * timed DEED [ARGUMENT…]: prints the milliseconds that it took, those of a processor that it and its children used, and what
 * the machine took just before and after for system calls, names and memory, which no sensor here is on the way of, each time
 * when what a sensor has to do with what came before is over.
 */
static void timed(char **arguments);

static void handle(char **arguments)
{
	struct file_handle nothing = { .handle_bytes = 8, .handle_type = 1 };

	(void)arguments;
	open_by_handle_at(AT_FDCWD, &nothing, O_RDONLY);
}

static void program(char **arguments)
{
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_KPROBE };

	(void)arguments;
	syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

static void counters(char **arguments)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attributes) };

	(void)arguments;
	syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0);
}

static void hold_memory(char **arguments)
{
	int fd = open("/proc/self/mem", O_WRONLY);

	(void)arguments;
	close(fd);
	/* Its file can be told of as long as it lives. */
	usleep(500000);
}

#define CALL(name, call) \
	static void name(char **arguments) { (void)arguments; call; }
CALL(file_system, syscall(SYS_fsopen, "ext4", 0))
CALL(module, syscall(SYS_finit_module, -1, "", 0))
CALL(kexec, syscall(SYS_kexec_load, 0, 0, NULL, 0))
CALL(page_faults, syscall(SYS_userfaultfd, 0))
CALL(keys, syscall(SYS_keyctl, KEYCTL_CHOWN, KEY_SPEC_SESSION_KEYRING, 1000, -1))
CALL(ring, syscall(SYS_io_uring_setup, 1, (char[120]){}))
CALL(restart, syscall(SYS_reboot, 0, 0, 0, NULL))
CALL(swap, syscall(SYS_swapon, "/nowhere", 0))
CALL(accounting, syscall(SYS_acct, NULL))
CALL(root, syscall(SYS_pivot_root, "/", "/"))
CALL(messages, syscall(SYS_syslog, 5 /* clear */, NULL, 0))
CALL(name, sethostname("other", 5))
CALL(packets, socket(AF_PACKET, SOCK_RAW, 0))
#ifdef SYS_ioperm
CALL(ports, syscall(SYS_ioperm, 0x80, 1, 1))
#else
CALL(ports, (void)0)
#endif

static const struct {
	const char *name;
	void (*deed)(char **arguments);
	int arguments;
} deeds[] = {
	{ "memory", memory, 2 },	{ "deleted", deleted, 1 },    { "unix", unix_socket, 1 },
	{ "ask", ask, 2 },
	{ "tcp", tcp, 2 },		{ "traced", traced, 0 },
	{ "another", another, 1 },    { "flood", flood, 1 },
	{ "handle", handle, 0 },	{ "program", program, 0 },    { "counters", counters, 0 },
	{ "own-memory", hold_memory, 0 }, { "file-system", file_system, 0 }, { "module", module, 0 },
	{ "kexec", kexec, 0 },		{ "page-faults", page_faults, 0 }, { "keys", keys, 0 },
	{ "ring", ring, 0 },		{ "restart", restart, 0 },    { "swap", swap, 0 },
	{ "accounting", accounting, 0 }, { "root", root, 0 },	      { "messages", messages, 0 },
	{ "steady", steady, 2 },	{ "opens", opens, 2 },	      { "bytes", bytes, 1 },
	{ "starts", starts, 2 },	{ "storm", storm, 1 },	      { "timed", timed, 1 },
	{ "name", name, 0 },		{ "packets", packets, 0 },    { "ports", ports, 0 },
};

static int find(const char *name, int arguments)
{
	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
		if (strcmp(deeds[i].name, name) == 0 && arguments >= deeds[i].arguments)
			return i;
	errx(2, "no such deed, or too few arguments: %s", name);
}

static long long used_nanoseconds(void)
{
	struct timespec own;
	struct rusage children;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return own.tv_sec * 1000000000ll + own.tv_nsec +
	       (children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1000000000ll +
	       (children.ru_utime.tv_usec + children.ru_stime.tv_usec) * 1000ll;
}

static long long reference_nanoseconds(char *memory, size_t size)
{
	long long begin = 0;
	struct stat stat;

	usleep(50000);
	for (int i = 0; i < 80; i++) {
		/* The first half wakes the processor up. */
		if (i == 40)
			begin = nanoseconds();
		for (int calls = 0; calls < 200; calls++)
			syscall(SYS_getppid);
		for (int names = 0; names < 40; names++)
			lstat("/etc/passwd", &stat);
		madvise(memory, size, MADV_DONTNEED);
		for (size_t at = 0; at < size; at += 4096)
			memory[at] = 1;
	}
	return nanoseconds() - begin;
}

static void timed(char **arguments)
{
	size_t size = 64 * 4096;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int count = 0;

	while (arguments[count + 1])
		count++;
	long long reference = reference_nanoseconds(memory, size), begin = nanoseconds(), used = used_nanoseconds();
	deeds[find(arguments[0], count)].deed(arguments + 1);
	long long took = nanoseconds() - begin, spent = used_nanoseconds() - used;
	reference += reference_nanoseconds(memory, size);
	printf("%.3f %.3f %.3f\n", took / 1e6, spent / 1e6, reference / 1e6);
}

int main(int count, char **words)
{
	if (count > 2 && strcmp(words[1], "run") == 0)
		run(words + 2);
	if (count < 3 || strcmp(words[1], "do") != 0)
		return 0;
	deeds[find(words[2], count - 3)].deed(words + 3);
	return 0;
}
