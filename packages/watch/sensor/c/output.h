/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames on their way to the reader: a ring of bytes with a bound. A reader who is slow costs frames, which are
 * counted, and never holds up the emptying of the kernel's buffer.
 */
#ifndef BULWARK_OUTPUT_H
#define BULWARK_OUTPUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "frame.h"

struct output {
	int fd;
	__u8 *bytes;
	size_t capacity;
	size_t start; /* of what is not written yet */
	size_t used;
	__u64 sequence; /* of the next frame */
	__u64 dropped;
};

void output_open(struct output *output, int fd, size_t capacity);

/* Numbers the frame and takes it in; counts it as dropped when there is no room. */
void output_event(struct output *output, const void *frame, size_t length);

/* The same for the sensor's own frames, for which room is kept. False when even that is used up. */
bool output_notice(struct output *output, void *frame, size_t length);

/* Writes what the reader takes now. False when the reader is gone. */
bool output_flush(struct output *output);

/* Sets magic, version, type, length and time. */
void frame_begin(void *frame, __u16 type, size_t length);

#endif
