/** A secret of the environment, once: no program that this process starts shall have it. */
export function takeSecret(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value === "" ? undefined : value;
}
