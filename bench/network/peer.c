/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve PORT | bulk ADDRESS PORT BYTES | requests|datagrams|connects|scan ADDRESS PORT COUNT, each with how many times:
 * nanoseconds that the fastest time took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char bytes[1 << 18];

/* Left to itself it grows otherwise each time, and one connection is a quarter faster than the next (iperf's -w). */
static const int window = 100000;

/* Takes what comes; a message that ends in a newline is answered. */
static void *answer(void *fd)
{
	char own[1 << 16];
	ssize_t size;

	while ((size = read((long)fd, own, sizeof(own))) > 0)
		if (own[size - 1] == '\n' && write((long)fd, "!", 1) != 1)
			break;
	close((long)fd);
	return NULL;
}

static void *answer_datagrams(void *fd)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char own[64];
	ssize_t length;

	while ((length = recvfrom((long)fd, own, sizeof(own), 0, (void *)&from, &size)) >= 0)
		sendto((long)fd, own, length, 0, (void *)&from, size);
	return NULL;
}

static void serve(int port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	pthread_t thread;
	long fd;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(listener, (void *)&own, sizeof(own)) || listen(listener, 4096) || bind(fd, (void *)&own, sizeof(own)))
		err(1, "port %d", port);
	pthread_create(&thread, NULL, answer_datagrams, (void *)fd);
	puts("ready");
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_create(&thread, NULL, answer, (void *)fd);
		pthread_detach(thread);
	}
}

static int open_to(const char *address, int port)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct linger hard = { 1, 0 };

	inet_pton(AF_INET, address, &peer.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &window, sizeof(window));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Without it thousands of ports wait for a minute. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	if (connect(fd, (void *)&peer, sizeof(peer)))
		err(1, "%s %d", address, port);
	return fd;
}

static void request(int fd)
{
	char byte;

	if (write(fd, "?\n", 2) != 2 || read(fd, &byte, 1) != 1)
		err(1, "request");
}

/* Both ends on one core, or one on each, differ by more than what is measured: it is not left to chance. */
static void stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void work(const char *what, const char *address, int port, long long left)
{
	int fd;

	if (strcmp(what, "bulk") == 0) {
		for (fd = open_to(address, port); left > 0; left -= sizeof(bytes))
			if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
				err(1, "write");
		request(fd);
		close(fd);
	} else if (strcmp(what, "requests") == 0) {
		for (fd = open_to(address, port); left > 0; left--)
			request(fd);
		close(fd);
	} else if (strcmp(what, "datagrams") == 0) {
		/* One that is lost is waited for without end: none is, between two that wait for each other. */
		struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
		char byte;

		inet_pton(AF_INET, address, &peer.sin_addr);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		if (connect(fd, (void *)&peer, sizeof(peer)))
			err(1, "%s %d", address, port);
		for (; left > 0; left--)
			if (send(fd, "?", 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
				err(1, "datagram");
		close(fd);
	} else if (strcmp(what, "scan") == 0) {
		/* One port after the other, whatever comes of it. */
		for (struct sockaddr_in peer = { .sin_family = AF_INET }; left > 0; left--, port++) {
			inet_pton(AF_INET, address, &peer.sin_addr);
			peer.sin_port = htons(port);
			fd = socket(AF_INET, SOCK_STREAM, 0);
			(void)!connect(fd, (void *)&peer, sizeof(peer));
			close(fd);
		}
	} else {
		for (; left > 0; left--)
			close(open_to(address, port));
	}
}

int main(int count, char **arguments)
{
	long long best = 0;

	stay_on(count == 3);
	if (count == 3 && strcmp(arguments[1], "serve") == 0)
		return serve(atoi(arguments[2])), 1;
	if (count != 6)
		errx(2, "serve PORT | bulk|requests|datagrams|connects|scan ADDRESS PORT COUNT TIMES");
	for (int times = atoi(arguments[5]); times > 0; times--) {
		long long start = nanoseconds(), took;

		work(arguments[1], arguments[2], atoi(arguments[3]), atoll(arguments[4]));
		took = nanoseconds() - start;
		if (best == 0 || took < best)
			best = took;
	}
	printf("%lld\n", best);
}
