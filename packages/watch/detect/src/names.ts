import type { DnsRecord } from "@bulwark/sensor";

/** Addresses of one network, and of all; names of one address. At worst some 50 MB. */
const addressesOfOne = 1024;
const addressesOfAll = 32_768;
const namesKept = 4;

/**
 * By which names each network asked for an address, the latest first. Everybody may name an address of his own as he likes:
 * a name can accuse, and not excuse. Bounded: a network that asks for much forgets its own; of too many networks the one
 * that asked longest ago is forgotten.
 */
export class Names {
  readonly #networks = new Map<number, Map<string, readonly string[]>>();
  #size = 0;

  learn({ networkNamespace, name, answers }: DnsRecord): void {
    if (answers.length === 0) return;
    const addresses = this.#networks.get(networkNamespace) ?? new Map<string, readonly string[]>();
    this.#networks.delete(networkNamespace);
    this.#networks.set(networkNamespace, addresses);
    this.#size -= addresses.size;
    for (const answer of answers) {
      const before = addresses.get(answer) ?? [];
      addresses.delete(answer);
      addresses.set(answer, [name, ...before.filter((other) => other !== name)].slice(0, namesKept));
      const [oldest] = addresses.keys();
      if (addresses.size > addressesOfOne && oldest !== undefined) addresses.delete(oldest);
    }
    this.#size += addresses.size;
    for (const [network, { size }] of this.#networks) {
      if (this.#size <= addressesOfAll) return;
      this.#networks.delete(network);
      this.#size -= size;
    }
  }

  of(networkNamespace: number, address: string): readonly string[] {
    return this.#networks.get(networkNamespace)?.get(address) ?? [];
  }
}
