import { createDirectory, ownerName, readFlows, type Directory, type Flow } from "@bulwark/flow";
import type { Cluster } from "@bulwark/netpol";
import type { Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

/** Reads logs, says what could not be read; with nothing read at all the call is wrong. */
export async function readAll(
  files: readonly string[],
  cluster: Cluster,
  emit: (flow: Flow) => void,
  io: Io,
): Promise<{ partial: boolean }> {
  const summary = await readFlows(files, emit, directoryOf(cluster));
  const { broken, examples, failed } = summary;
  for (const text of failed) io.stderr.write(`error: ${printable(text)}\n`);
  for (const { file, line, reason } of examples)
    io.stderr.write(`broken: ${printable(`${file}:${line}: ${reason}`)}\n`);
  if (broken > examples.length) io.stderr.write(`broken: ${broken - examples.length} lines more\n`);
  if (summary.flows === 0) {
    throw new UsageError("usage", `${files.join(" ")}: no flow in ${summary.lines} lines`, {
      remedy: "give logs of Hubble, Calico, Envoy, Suricata or Zeek, one record a line",
    });
  }
  return { partial: broken > 0 || failed.length > 0 };
}

function directoryOf({ pods }: Cluster): Directory {
  const directory = createDirectory();
  for (const { namespace, name, kind = "Pod", labels = {}, ips = [], serviceAccount = null, hostNetwork } of pods) {
    const pod = kind === "Pod" ? name : null;
    const owner = pod === null ? name : ownerName(pod, labels);
    // An address of the node is not the pod's own.
    directory.know(
      { namespace, name: owner, kind: null, pod, labels, serviceAccount, node: null },
      hostNetwork ? [] : ips,
      0,
    );
  }
  return directory;
}
