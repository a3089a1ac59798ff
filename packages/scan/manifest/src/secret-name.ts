/** Whether a variable of this name holds a credential, and not where one is to be found. */
export function looksSecret(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[_.-]+/);
  if (
    /(?:^|_)(?:file|path|dir|url|uri|name|id|length|expiry|ttl|arn|policy|algorithm|type|prompt|path)$/.test(
      words.join("_"),
    )
  ) {
    return false;
  }
  if (words.some((word) => /^(?:password|passwd|passphrase|secret|token|apikey|pwd|credentials?)$/.test(word))) {
    return !(words[0] === "pwd" && words.length === 1);
  }
  return /(?:api|access|private|secret|auth|encryption|signing)_key/.test(words.join("_"));
}
