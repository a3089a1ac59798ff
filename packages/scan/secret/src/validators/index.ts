import { awsAccount } from "./aws-account.ts";
import { base64Of32, base64Of64, basicAuth } from "./base64-bytes.ts";
import { base64Json } from "./base64-json.ts";
import { bech32 } from "./bech32.ts";
import { crc32Base62 } from "./crc32-base62.ts";
import { crc32Hex } from "./crc32-hex.ts";
import { jwt, serviceAccountJwt } from "./jwt.ts";
import { privateKey } from "./private-key.ts";

/** What a kind may ask of a credential after its pattern, by the name that content uses. Each is pure and quick. */
export const validators = {
  "aws-account": awsAccount,
  "base64-json": base64Json,
  "base64-of-32": base64Of32,
  "base64-of-64": base64Of64,
  "basic-auth": basicAuth,
  bech32,
  "crc32-base62": crc32Base62,
  "crc32-hex": crc32Hex,
  jwt,
  "private-key": privateKey,
  "service-account-jwt": serviceAccountJwt,
} satisfies Record<string, (credential: string) => boolean>;
