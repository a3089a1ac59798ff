/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pod of live.test.ts: joins a cgroup and a network namespace, then either serves or probes.
 *
 *   member CGROUP NETNS serve PORT…     TCP is accepted, UDP is sent back
 *   member CGROUP NETNS probe [MS]      lines "HOW ADDRESS PORT open|closed", an empty one tries them all at once; the answer is
 *                                       a character each: . it got through, x it did not
 *
 * HOW is tcp, udp, mptcp, or a first packet of TCP that a raw socket makes: syn (to an IPv6 address), opt (the same, behind a header of
 * options), part (to an IPv4 address, in two parts, its flags in the second).

 * "-" joins none. What is expected to be open is waited for, at most MS; what is not has some time after the last of those.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 512
#define GRACE_MS 150
#define AGAIN_MS 40

struct probe {
	bool is_tcp, is_multipath, is_forged, has_options, is_in_parts, is_open, is_through;
	int fd;
	struct sockaddr_in6 peer;
};

static long patience = 20000;

static void join(const char *cgroup, const char *netns)
{
	if (strcmp(cgroup, "-") == 0)
		return;
	int procs = open(cgroup, O_WRONLY), network = open(netns, O_RDONLY);

	if (procs < 0 || write(procs, "0", 1) != 1)
		err(1, "%s", cgroup);
	if (network < 0 || setns(network, CLONE_NEWNET))
		err(1, "%s", netns);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int listen_on(int type, int port)
{
	struct sockaddr_in6 own = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&own, sizeof(own)) || (type == SOCK_STREAM && listen(fd, 512)))
		err(1, "port %d", port);
	return fd;
}

static void serve(int count, char **ports)
{
	struct pollfd all[16];
	int used = 0;

	for (int i = 0; i < count && used < 15; i++) {
		all[used++] = (struct pollfd){ .fd = listen_on(SOCK_STREAM, atoi(ports[i])), .events = POLLIN };
		all[used++] = (struct pollfd){ .fd = listen_on(SOCK_DGRAM, atoi(ports[i])), .events = POLLIN };
	}
	puts("ready");
	fflush(stdout);
	while (poll(all, used, -1) >= 0)
		for (int i = 0; i < used; i++) {
			struct sockaddr_in6 from;
			socklen_t size = sizeof(from);
			char bytes[64];
			ssize_t length;
			int fd;

			if (!all[i].revents)
				continue;
			if (i % 2 == 0) {
				while ((fd = accept(all[i].fd, NULL, NULL)) >= 0)
					close(fd);
			} else {
				while ((length = recvfrom(all[i].fd, bytes, sizeof(bytes), 0, (void *)&from, &size)) >= 0)
					sendto(all[i].fd, bytes, length, 0, (void *)&from, size);
			}
		}
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void begin_forged(struct probe *probe)
{
	static const unsigned char padding[8] = { 0, 0, 1, 4 };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = probe->peer.sin6_addr.s6_addr32[3] };
	struct sockaddr_in6 peer6 = probe->peer;
	int checksum_at = 16, one = 1, failed;

	peer6.sin6_port = 0;
	probe->fd = socket(probe->is_in_parts ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_TCP);
	if (probe->is_in_parts) {
		failed = setsockopt(probe->fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one)) ||
			 connect(probe->fd, (void *)&peer, sizeof(peer));
	} else {
		/* RFC 3542 section 3.1: the kernel adds the checksum. */
		failed = setsockopt(probe->fd, IPPROTO_IPV6, IPV6_CHECKSUM, &checksum_at, sizeof(checksum_at)) ||
			 (probe->has_options &&
			  setsockopt(probe->fd, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding))) ||
			 connect(probe->fd, (void *)&peer6, sizeof(peer6));
	}
	if (failed)
		err(1, "forged");
}

static unsigned add(const void *bytes, int size)
{
	const unsigned short *words = bytes;
	unsigned sum = 0;

	for (int i = 0; i < size / 2; i++)
		sum += words[i];
	return sum;
}

/* RFC 791, RFC 9293: the first part ends before the flags. The kernel fills in the rest of the first header. */
static void send_in_parts(const struct probe *probe, struct tcphdr forged)
{
	struct {
		struct iphdr ip;
		unsigned char bytes[sizeof(forged) - 8];
	} part = { .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .id = htons(1 + rand() % 65535) } };
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	unsigned sum;

	getsockname(probe->fd, (void *)&own, &size);
	part.ip.saddr = own.sin_addr.s_addr;
	part.ip.daddr = probe->peer.sin6_addr.s6_addr32[3];
	sum = add(&part.ip.saddr, 8) + htons(IPPROTO_TCP) + htons(sizeof(forged)) + add(&forged, sizeof(forged));
	sum = (sum & 0xffff) + (sum >> 16);
	forged.check = ~((sum & 0xffff) + (sum >> 16));
	part.ip.frag_off = htons(IP_MF);
	memcpy(part.bytes, &forged, 8);
	send(probe->fd, &part, sizeof(part.ip) + 8, 0);
	part.ip.frag_off = htons(1);
	memcpy(part.bytes, (char *)&forged + 8, sizeof(forged) - 8);
	send(probe->fd, &part, sizeof(part), 0);
}

static void send_again(const struct probe *probe)
{
	struct tcphdr forged = { .source = htons(4000), .dest = probe->peer.sin6_port, .doff = 5, .syn = 1, .window = htons(1024) };

	if (probe->is_in_parts)
		send_in_parts(probe, forged);
	else if (probe->is_forged)
		send(probe->fd, &forged, sizeof(forged), 0);
	else
		send(probe->fd, "?", 1, 0);
}

static bool is_answered(const struct probe *probe)
{
	char bytes[60 + sizeof(struct tcphdr)];
	ssize_t size = recv(probe->fd, bytes, sizeof(bytes), 0);
	/* A raw socket of IPv4 gets the header of IP, too. */
	const struct tcphdr *answer = (void *)(bytes + (probe->is_in_parts ? sizeof(struct iphdr) : 0));

	if (!probe->is_forged)
		return size == 1;
	return (char *)(answer + 1) - bytes <= size && answer->source == probe->peer.sin6_port && answer->syn && answer->ack;
}

static void begin(struct probe *probe)
{
	if (probe->is_forged)
		return begin_forged(probe);
	probe->fd = socket(AF_INET6, (probe->is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK,
			   probe->is_multipath ? IPPROTO_MPTCP : 0);
	if (connect(probe->fd, (void *)&probe->peer, sizeof(probe->peer)) == 0 && probe->is_tcp)
		probe->is_through = true;
	else if (probe->is_tcp && errno != EINPROGRESS) {
		close(probe->fd);
		probe->fd = -1;
	}
}

/* Whether all that are expected to be open are. */
static bool look(struct probe *probes, int count, bool again)
{
	struct pollfd polled[MOST];
	bool is_done = true;

	for (int i = 0; i < count; i++) {
		struct probe *probe = &probes[i];

		if (probe->fd < 0 && !probe->is_through)
			begin(probe);
		if (!probe->is_tcp && !probe->is_through && again)
			send_again(probe);
		polled[i] = (struct pollfd){ .fd = probe->is_through ? -1 : probe->fd,
					     .events = probe->is_tcp ? POLLOUT : POLLIN };
	}
	poll(polled, count, 5);
	for (int i = 0; i < count; i++) {
		struct probe *probe = &probes[i];
		socklen_t size = sizeof(int);
		int error = 0;

		if (polled[i].revents && !probe->is_tcp)
			probe->is_through = is_answered(probe);
		if (polled[i].revents && probe->is_tcp) {
			getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size);
			probe->is_through = error == 0;
			if (error) {
				close(probe->fd);
				probe->fd = -1;
			}
		}
		is_done &= probe->is_through || !probe->is_open;
	}
	return is_done;
}

static void run(struct probe *probes, int count)
{
	long start = milliseconds(), done = 0, sent = 0;

	for (int i = 0; i < count; i++)
		probes[i].fd = -1;
	for (long now = start; now - start < patience && (!done || now - done < GRACE_MS); now = milliseconds()) {
		bool again = now - sent >= AGAIN_MS;

		if (again)
			sent = now;
		if (look(probes, count, again) && !done)
			done = milliseconds();
	}
	for (int i = 0; i < count; i++) {
		putchar(probes[i].is_through ? '.' : 'x');
		if (probes[i].fd >= 0)
			close(probes[i].fd);
	}
	putchar('\n');
	fflush(stdout);
}

static void probe(void)
{
	static struct probe probes[MOST];
	char line[256], how[8], address[64], expected[8];
	int count = 0, port;

	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		struct probe *next = &probes[count];
		char text[80];

		if (line[0] == '\n') {
			run(probes, count);
			count = 0;
			continue;
		}
		if (count == MOST || sscanf(line, "%7s %63s %d %7s", how, address, &port, expected) != 4)
			errx(2, "%s", line);
		*next = (struct probe){ .is_tcp = strcmp(how, "tcp") == 0 || strcmp(how, "mptcp") == 0,
					  .is_multipath = strcmp(how, "mptcp") == 0,
					  .has_options = strcmp(how, "opt") == 0,
					  .is_in_parts = strcmp(how, "part") == 0,
					  .is_open = strcmp(expected, "open") == 0 };
		next->is_forged = next->has_options || next->is_in_parts || strcmp(how, "syn") == 0;
		next->peer = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		snprintf(text, sizeof(text), "%s%s", strchr(address, ':') ? "" : "::ffff:", address);
		if (inet_pton(AF_INET6, text, &next->peer.sin6_addr) != 1)
			errx(2, "%s", address);
		count++;
	}
}

int main(int count, char **arguments)
{
	if (count < 4)
		errx(2, "CGROUP NETNS serve|probe");
	join(arguments[1], arguments[2]);
	if (strcmp(arguments[3], "serve") == 0)
		return serve(count - 4, arguments + 4), 0;
	if (count > 4)
		patience = atol(arguments[4]);
	probe();
}
