import type { DnsRecord } from "@bulwark/sensor";

const namespacesKept = 1024;
const addressesKept = 2048;
const namesKept = 8;

/**
 * By which names each network asked for an address, the latest first. Everybody may name an address of his own as he likes:
 * a name can accuse, and not excuse. Bounded, the oldest are forgotten first; a container that asks for much forgets its own.
 */
export class Names {
  readonly #networks = new Map<number, Map<string, readonly string[]>>();

  learn({ networkNamespace, name, answers }: DnsRecord): void {
    if (answers.length === 0) return;
    const addresses = this.#networks.get(networkNamespace) ?? new Map<string, readonly string[]>();
    put(this.#networks, networkNamespace, addresses, namespacesKept);
    for (const answer of answers) {
      const before = addresses.get(answer) ?? [];
      put(addresses, answer, [name, ...before.filter((other) => other !== name)].slice(0, namesKept), addressesKept);
    }
  }

  of(networkNamespace: number, address: string): readonly string[] {
    return this.#networks.get(networkNamespace)?.get(address) ?? [];
  }
}

function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
