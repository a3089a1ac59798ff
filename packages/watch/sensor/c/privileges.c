/* SPDX-License-Identifier: Apache-2.0 */
#include "privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail.h"

/* By hand, because glibc has no wrapper for capget(2) and capset(2), and libcap would be a dependency for two calls. */
static long effective_capabilities(unsigned long long *set)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};
	long result = syscall(SYS_capget, &header, data);

	*set = data[0].effective | (unsigned long long)data[1].effective << 32;
	return result;
}

static int has(unsigned long long set, int capability)
{
	return (set >> capability) & 1;
}

void require_privileges(void)
{
	unsigned long long set;

	if (effective_capabilities(&set) == 0 &&
	    (has(set, CAP_SYS_ADMIN) || (has(set, CAP_BPF) && has(set, CAP_PERFMON))))
		return;
	fail("may not load eBPF programs", "Run it as root, in a container with these capabilities added.",
	     "needs CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN, runs as user %u", geteuid());
}

void keep_privileges(unsigned long long wanted)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	unsigned long long left = 0, kept = effective_capabilities(&left) == 0 ? wanted & left : 0;
	struct __user_cap_data_struct sets[2] = {
		{ .effective = kept, .permitted = kept },
		{ .effective = kept >> 32, .permitted = kept >> 32 },
	};

	/* The bounding set first, while CAP_SETPCAP is there; without it no_new_privs holds the same door. */
	for (int capability = 0; prctl(PR_CAPBSET_DROP, capability) == 0;)
		capability++;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, sets) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0)
		fail("cannot drop capabilities", "Allow capset(2) and prctl(2) in the seccomp profile.", "%s", strerror(errno));
	if (effective_capabilities(&left) != 0 || (left & ~kept) != 0)
		fail("cannot drop capabilities", "This is a defect; please report it.", "%#llx are left", left);
}
