import type { ActivityEvent } from "@bulwark/model";

type Address = { ip: string; port: number } | null;

/** What was done, on one line, in the words of the kernel. Foreign text: to be shown raw. */
export function activityText(event: ActivityEvent): string {
  switch (event.kind) {
    case "file": {
      const { operation, path, newPath } = event.file;
      return newPath === "" ? `${operation} ${path}` : `${operation} ${path} → ${newPath}`;
    }
    case "socket": {
      const { operation, family, kind, local, remote, path } = event.socket;
      return words(operation, family, kind, end(local), remote && `→ ${end(remote)}`, path);
    }
    case "dns":
      return words(event.dns.name, event.dns.kind, event.dns.code, event.dns.answers.join(" "));
    case "call": {
      const { name, arguments: values, capability, granted, result } = event.call;
      const answer = granted === null ? null : `${capability ?? ""} ${granted ? "✓" : "✗"}`;
      return words(
        `${name}(${values.map((argument) => `${argument.name}: ${argument.value}`).join(", ")})`,
        answer,
        result === null ? null : `= ${result}`,
      );
    }
    case "setting":
      return words(event.setting.operation, event.setting.name, event.setting.value);
    case "device":
      return words(event.device.access.join(" "), event.device.kind, `${event.device.major}:${event.device.minor}`);
    case "signal":
      return `${event.signal.signal} → ${event.signal.target.name} (${event.signal.target.pid})`;
    case "credentials": {
      const { before, after } = event.credentials;
      return `${before.effectiveUid} (${before.capabilities}) → ${after.effectiveUid} (${after.capabilities})`;
    }
  }
}

function end(address: Address): string {
  if (address === null) return "";
  return address.ip.includes(":") ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}

function words(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== "").join(" ");
}
