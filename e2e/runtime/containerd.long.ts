/** The techniques once more in containers of a containerd, with its images and shims. */
import { missing } from "@bulwark/testkit";
import { containerdSite } from "./containerd-site.ts";
import { kinds } from "./kinds.ts";
import { perform } from "./perform.ts";

const skip = missing("root", "bpf", "clang", "containerd", "runc", "busybox", "python");

perform("techniques in containers of containerd", ["leak"], { skip, kinds, open: containerdSite });
