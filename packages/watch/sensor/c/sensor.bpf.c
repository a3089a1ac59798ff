/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: one object, one file a hook. Only tp_btf programs, which cost nothing where their tracepoint is not
 * reached, and none on system calls but where a rule needs it (hooks/traced.h): a single empty program there takes every system call of the machine through the
 * slow path (dd of single bytes: 1.46 times as long on Linux 6.18).
 */
#include "kernel/types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "frame.h"

#include "kernel/read.h"
#include "kernel/maps.h"
#include "kernel/emit.h"
#include "kernel/filter.h"
#include "kernel/actor.h"
#include "kernel/share.h"
#include "kernel/registers.h"
#include "kernel/path.h"
#include "kernel/cgroup.h"
#include "kernel/socket.h"
#include "kernel/process.h"
#include "kernel/policy.h"
#include "kernel/packet.h"
#include "kernel/flow.h"
#include "kernel/left.h"

#include "hooks/host.h"
#include "hooks/exec.h"
#include "hooks/fork.h"
#include "hooks/exit.h"
#include "hooks/connection.h"
#include "hooks/call.h"
#include "hooks/traced.h"
#include "hooks/setting.h"
#include "hooks/device.h"
#include "hooks/device-file.h"
#include "hooks/attributes.h"
#include "hooks/signal.h"
#include "hooks/dns.h"
#include "hooks/socket.h"
#include "hooks/connection-course.h"
#include "hooks/unix.h"
#include "hooks/snapshot.h"
#include "hooks/end-exec.h"
#include "hooks/cut-network.h"
#include "hooks/flow-socket.h"
#include "hooks/flow-packet.h"
#include "hooks/network-policy.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
