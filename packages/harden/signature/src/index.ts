/** Signatures and attestations of images, held against keys and identities that are trusted; offline. */
export { SignatureError } from "./error.ts";
export { readTrust, signingAuthority, type SigningAuthority, type Trust } from "./trust.ts";
export { verifyImage, type Attestation, type Verified } from "./verify.ts";
